#!/bin/sh
# Packs the GPU suite: bundle.sh ROOT JDK ARCHIVE. ROOT is the project, built with its tests; the
# archive, a .tar.xz, holds a small runtime, classes, kernels and golden data, and runs on any Linux
# on x86-64 with NVIDIA's driver: tar xf ARCHIVE && gpu-suite/run.sh FOLDER.
set -eu

root=$1
jdk=$2
archive=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
suite=$work/gpu-suite
mkdir -p "$suite/lib" "$suite/classes"

"$jdk/bin/jlink" --strip-debug --no-header-files --no-man-pages --compress=zip-0 --output "$suite/jre" \
  --add-modules java.base,java.logging,java.management,jdk.management,java.naming,java.xml,jdk.jfr,jdk.unsupported
if command -v strip >/dev/null; then
  find "$suite/jre" -name '*.so' -exec strip --strip-unneeded {} +
fi

for module in kernels platform/spi platform/engine platform/testkit platform/cuda plugins/models; do
  cp -R "$root/$module/target/classes/." "$suite/classes"
done
cp -R "$root/platform/cuda/target/test-classes/." "$suite/classes"
mkdir -p "$suite/classes/dev/millrace/testkit/cuda"
cp "$root"/platform/testkit/target/test-classes/dev/millrace/testkit/cuda/*.class \
  "$suite/classes/dev/millrace/testkit/cuda"
rm -rf "$suite/classes/module-info.class" "$suite/classes/dev/millrace/kernels/libmillrace_cpu.so"

# jars by what the tests of platform/cuda run with; of JCuda's natives the driver's alone
for jar in $(tr ':' '\n' <"$root/platform/cuda/target/test.classpath"); do
  case $jar in
    */org/jcuda/jcuda-natives/*)
      (cd "$work" && "$jdk/bin/jar" xf "$jar" && "$jdk/bin/jar" cMf "$suite/lib/jcuda-natives.jar" \
        lib/libJCudaDriver-*.so) ;;
    */ai/djl/huggingface/tokenizers/*) # its native library for this platform alone
      (cd "$work" && "$jdk/bin/jar" xf "$jar" && rm -rf native/lib/[!l]*/ native/lib/linux-aarch64 &&
        { ! command -v strip >/dev/null || strip --strip-unneeded native/lib/*/cpu/*.so; } &&
        "$jdk/bin/jar" cMf "$suite/lib/tokenizers.jar" ai native) ;;
    */ai/djl/api/* | */org/junit/* | */org/opentest4j/* | */org/apiguardian/* | */org/jspecify/* | */org/slf4j/* | \
      */ch/qos/logback/* | */org/jcuda/* | */com/fasterxml/jackson/*) cp "$jar" "$suite/lib" ;;
  esac
done
# stored, as the archive's compression sees more of them so
for jar in "$suite"/lib/*.jar; do
  rm -rf "$work/jar" && mkdir "$work/jar"
  (cd "$work/jar" && "$jdk/bin/jar" xf "$jar" && "$jdk/bin/jar" cM0f "$jar" .)
done
mkdir -p "$suite/project/plugins/models/src/test/resources"
cp -R "$root/plugins/models/src/test/resources/numerics" "$suite/project/plugins/models/src/test/resources"

cat >"$suite/run.sh" <<'RUN'
#!/bin/sh
# Runs the suite: run.sh FOLDER [part...]; the folder gets gpu-suite.json, gpu-suite.txt and a log of
# each part. Ends within MILLRACE_SECONDS, by default nine minutes. With MILLRACE_SIMULATOR=DIRECTORY
# it runs on the simulated driver and emulated kernels of a build, whose kernels/target that is.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
seconds=${MILLRACE_SECONDS:-530}
simulated=false
if [ -n "${MILLRACE_SIMULATOR:-}" ]; then
  simulated=true
  seconds=${MILLRACE_SECONDS:-3600}
  LD_LIBRARY_PATH=$MILLRACE_SIMULATOR/simulator
  MILLRACE_SIM=kernels=$MILLRACE_SIMULATOR/emulated/libmillrace_cuda_emulated.so${MILLRACE_SIM:+,$MILLRACE_SIM}
  export LD_LIBRARY_PATH MILLRACE_SIM
fi
exec timeout -k 5 "$((seconds + 15))" "$here/jre/bin/java" -Xmx256m \
  -Dmillrace.gpu=true "-Dmillrace.seconds=$seconds" \
  "-Dmillrace.simulated=$simulated" -Dmillrace.cuda.errors=true "-Dmillrace.root=$here/project" \
  "-Dmillrace.cuda.kernels=$here/classes/dev/millrace/kernels/cuda" \
  -cp "$here/classes:$here/lib/*" dev.millrace.cuda.GpuSuite "$@"
RUN
chmod +x "$suite/run.sh"
tar -C "$work" -cJf "$archive" gpu-suite
ls -l "$archive"
