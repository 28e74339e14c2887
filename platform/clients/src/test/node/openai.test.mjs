// OpenAI's own client for JavaScript; the server's address and key come from the environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const baseURL = `${process.env.MILLRACE_URL}/v1`;
const client = new OpenAI({ baseURL, apiKey: process.env.MILLRACE_KEY, maxRetries: 0 });
const chat = {
  model: 'demo',
  messages: [
    { role: 'system', content: 'Be short.' },
    { role: 'user', content: 'Hello' },
  ],
  seed: 7,
  max_completion_tokens: 8,
};

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return chunks;
}

test('a chat answers, and the seed decides', async () => {
  const answer = await client.chat.completions.create({
    ...chat, n: 2, logprobs: true, top_logprobs: 2,
  });
  assert.equal(answer.choices.length, 2);
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(answer.choices[0].logprobs.content[0].top_logprobs.length, 2);
  const again = await client.chat.completions.create({ ...chat, n: 2 });
  assert.equal(again.choices[0].message.content, answer.choices[0].message.content);
});

test('a stream is the whole answer in pieces and ends with its usage', async () => {
  const whole = await client.chat.completions.create(chat);
  const chunks = await collect(
    await client.chat.completions.create({
      ...chat, stream: true, stream_options: { include_usage: true },
    }),
  );
  const text = chunks.flatMap((chunk) => chunk.choices).map((c) => c.delta.content ?? '').join('');
  assert.equal(text, whole.choices[0].message.content);
  assert.deepEqual(chunks.at(-1).usage, whole.usage);
});

test("the client's stream helper puts the answer together", async () => {
  const whole = await client.chat.completions.create(chat);
  const deltas = [];
  const final = await client.chat.completions
    .stream(chat)
    .on('content', (delta) => deltas.push(delta))
    .finalChatCompletion();
  assert.equal(final.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(deltas.join(''), whole.choices[0].message.content);
});

test('completions answer whole and streamed', async () => {
  const asked = { model: 'demo', prompt: 'a', max_tokens: 5, temperature: 0, logprobs: 2 };
  const whole = await client.completions.create(asked);
  const chunks = await collect(await client.completions.create({ ...asked, stream: true }));
  const text = chunks.flatMap((chunk) => chunk.choices).map((c) => c.text).join('');
  assert.equal(text, whole.choices[0].text);
  assert.equal(whole.choices[0].logprobs.tokens.length, whole.usage.completion_tokens);
});

test('models are listed and described', async () => {
  const models = await collect(client.models.list());
  assert.deepEqual(models.map((model) => model.id), ['demo']);
  assert.equal((await client.models.retrieve('demo')).object, 'model');
});

test("errors are the client's own", async () => {
  const create = (changed) => client.chat.completions.create({ ...chat, ...changed });
  await assert.rejects(create({ model: 'other' }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    assert.ok(error.requestID);
    return true;
  });
  await assert.rejects(create({ top_p: 2 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, 'top_p');
    return true;
  });
  const stranger = new OpenAI({ baseURL, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(stranger.models.retrieve('demo'), OpenAI.AuthenticationError);
});

test('a stream that fails on its way throws', async () => {
  const stream = await client.chat.completions.create({
    ...chat, stream: true, max_completion_tokens: 3000, ignore_eos: true, request_timeout: 0.1,
  });
  await assert.rejects(collect(stream), (error) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.code, 'timed_out');
    return true;
  });
});

test('an aborted stream leaves the server', { timeout: 20_000 }, async () => {
  const stream = await client.chat.completions.create({
    ...chat, stream: true, max_completion_tokens: 3000, ignore_eos: true,
  });
  for await (const _ of stream) {
    break; // which aborts
  }
  for (let load = 1; load > 0; ) {
    load = (await (await fetch(`${process.env.MILLRACE_URL}/load`)).json()).server_load;
  }
});
