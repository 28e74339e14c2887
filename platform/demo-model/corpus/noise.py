"""Makes written questions look typed: slips of the fingers, lost capitals and marks, short forms."""

NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "sqz", "s": "adwx", "d": "sfec", "f": "dgrv", "g": "fhtb", "h": "gjyn", "j": "hkum",
    "k": "jli", "l": "ko", "z": "xa", "x": "zcs", "c": "xvd", "v": "cbf", "b": "vng", "n": "bmh", "m": "nk"}

SHORT = {
    "you": ["u"], "your": ["ur", "yr"], "are": ["r"], "please": ["pls", "plz", "pleas"], "thanks": ["thx", "tnx", "thanx"],
    "to": ["2", "too"], "for": ["4", "fo"], "because": ["cuz", "bc", "becuase"], "with": ["w/", "wiht"], "what": ["wat", "wht"],
    "delivery": ["delivary", "delivry", "dilivery", "devlivery", "deliverey"], "deliver": ["delivver", "dliver"],
    "receive": ["recieve", "receve"], "received": ["recieved", "recived"], "address": ["adress", "addres", "adres"],
    "account": ["acount", "accout"], "password": ["pasword", "passwort", "pw", "pwd"], "cancel": ["cancle", "cansel", "cancell"],
    "guarantee": ["garantee", "guarentee", "gaurantee"], "warranty": ["waranty", "warrenty"], "damaged": ["damged", "dammaged"],
    "broken": ["brocken", "brokn"], "voucher": ["vocher", "vaucher"], "discount": ["discout", "diskount"],
    "invoice": ["invoce", "invoise"], "express": ["expres", "xpress"], "return": ["retrun", "retun", "reutrn"],
    "shipping": ["shiping", "shippin"], "parcel": ["parcle", "parcell"], "package": ["packge", "pakage"],
    "tomorrow": ["tmrw", "tomorow", "tommorow"], "business": ["buisness"], "weekend": ["wkend", "week end"],
    "something": ["smth", "sth"], "don't": ["dont"], "doesn't": ["doesnt"], "can't": ["cant"], "i'm": ["im"], "it's": ["its"],
    "what's": ["whats", "wats"], "where's": ["wheres"], "hasn't": ["hasnt"], "haven't": ["havent"], "isn't": ["isnt"],
    "didn't": ["didnt"], "i've": ["ive"], "i'd": ["id"], "won't": ["wont"], "going": ["goin"], "and": ["&", "n"],
    "want": ["wanna", "wnt"], "know": ["kno", "now"], "need": ["ned"], "there": ["their", "ther"], "the": ["teh", "th"],
    "which": ["wich"], "possible": ["posible", "possibel"], "payment": ["payement", "paymnt"], "credit": ["cradit"],
    "newsletter": ["news letter", "newletter"], "unsubscribe": ["unsubcribe"], "saturday": ["sat", "saterday"],
    "sunday": ["sundy"], "minimum": ["minimun", "min"], "phone": ["fone", "phne"], "email": ["e-mail", "mail", "emial"],
    "tracking": ["traking", "trackin"], "gift": ["gft"], "wrapping": ["raping", "wraping"], "exchange": ["exchage", "exchnage"],
    "opening": ["openning"], "hours": ["hrs", "ours"], "question": ["qestion", "questoin", "q"], "company": ["compny"],
    "germany": ["germny"], "netherlands": ["netherland", "holland"], "people": ["ppl"], "before": ["b4"], "order": ["ordr", "oder"],
    "refund": ["refun", "refond"], "euros": ["euro", "eur", "€"], "days": ["dys", "day"]}

# characters that are often written in their traditional form
TRADITIONAL = dict(zip(
    "单货费发运个请问时间后银订购买卖这什么为们没会长钱给电话门见话语国兰寄换坏错园费书认证号码邮开关满优惠礼读机树叶应该写员气说让谁两体现养办达进远还过对实现账户密设环点线级标签卡业车场带动宠无爱",
    "單貨費發運個請問時間後銀訂購買賣這什麼為們沒會長錢給電話門見話語國蘭寄換壞錯園費書認證號碼郵開關滿優惠禮讀機樹葉應該寫員氣說讓誰兩體現養辦達進遠還過對實現賬戶密設環點線級標簽卡業車場帶動寵無愛"))

SOUNDS = dict(zip("的在那哪做再已以是事到道吗嘛请情退推货或", "得再哪那作在以已事是道到嘛吗情请推退或货"))


def english(text, random):
    """One of several hands: neat, lower case, hasty or shouting."""
    hand = random.random()
    words = text.split(" ")
    if random.random() < 0.30:  # a hand given to short forms and misspellings
        words = [random.choice(SHORT[w.lower()]) if w.lower() in SHORT and random.random() < 0.4 else w for w in words]
    text = " ".join(words)
    if random.random() < 0.38:
        text = slips(text, random, random.choice((0.01, 0.02, 0.04)))
    if hand < 0.48:
        text = text.lower()
    elif hand < 0.52:
        text = text.upper()
    else:
        text = text[:1].upper() + text[1:]
        if random.random() < 0.8:
            text = text.replace(" i ", " I ").replace(" i'", " I'")
    if random.random() < 0.25:
        text = text.translate({ord(c): "" for c in ",'.;:-"} if random.random() < 0.6 else {ord("'"): "’"})
    return " ".join(text.split())


def slips(text, random, rate):
    out, i = [], 0
    while i < len(text):
        c = text[i]
        if c.isalpha() and random.random() < rate:
            kind = random.random()
            if kind < 0.3 and i + 1 < len(text) and text[i + 1].isalpha():
                out.append(text[i + 1] + c)
                i += 1
            elif kind < 0.55:
                pass
            elif kind < 0.75:
                out.append(c + c)
            else:
                out.append(random.choice(NEIGHBOURS.get(c.lower(), c)))
        elif c == " " and random.random() < rate / 3:
            pass
        else:
            out.append(c)
        i += 1
    return "".join(out)


def chinese(text, random):
    if random.random() < 0.12:
        text = "".join(TRADITIONAL.get(c, c) for c in text)
    elif random.random() < 0.12:
        text = "".join(SOUNDS[c] if c in SOUNDS and random.random() < 0.3 else c for c in text)
    if random.random() < 0.08 and len(text) > 5:  # a character left out or typed twice
        i = random.randrange(1, len(text) - 1)
        text = text[:i] + random.choice(("", text[i] * 2)) + text[i + 1:]
    if random.random() < 0.25:
        text = text.translate({ord(c): " " for c in "，。！"}).strip()
    if random.random() < 0.15:
        text = text.translate({ord("，"): ",", ord("？"): "?", ord("！"): "!", ord("。"): "."})
    if random.random() < 0.2:
        text = text.lower()
    return " ".join(text.split())
