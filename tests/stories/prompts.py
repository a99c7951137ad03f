"""Prompts as people type and paste them: thirty languages in their scripts, and what editors put between the words."""

from __future__ import annotations

#: Each is a wish for music, in its language.
LANGUAGES = {
    "Amharic": "ዝናብ በጣሪያ ላይ፣ ለስላሳ ክራር",
    "Arabic": "عودٌ هادئ وإيقاع بطيء، مطرٌ خفيف؟",
    "Armenian": "մեղմ դուդուկ՝ անձրևի տակ",
    "Bengali": "বৃষ্টির শব্দে ধীর বাঁশি, ক্ষুদ্র তাল",
    "Burmese": "မိုးရွာသောည၊ ဖြည်းညင်းသော စောင်း",
    "Chinese": "雨夜的古筝，节奏缓慢、带一点回声",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Danish": "rolig aften på en mørk ø, cello",
    "English": "slow pads over distant rain – “no drums”, please…",
    "Finnish": "hidas kantele yön hämärässä",
    "French": "Musique\u00a0: piano «\u202fà la Satie\u202f», 60\u202fbpm",
    "Georgian": "ნელი ფანდური წვიმაში",
    "German": "ruhige Gitarre für lange Züge, größte Höhe\u00ad",
    "Greek": "αργό μπουζούκι, βροχή τη νύχτα·",
    "Gujarati": "વરસાદમાં ધીમી વાંસળી",
    "Hebrew": "פסנתר שָׁקֵט בַּלַּיְלָה, ־ בלי תופים",
    "Hindi": "बारिश में धीमी बाँसुरी, क्‍षण भर का मौन",
    "Icelandic": "hæg þoka við Þingvöll, strengir",
    "Japanese": "雨の夜のジャズ、ﾋﾟｱﾉ　ゆっくり",
    "Khmer": "ភ្លៀងធ្លាក់ ពិណយឺតៗ",
    "Korean": "비 오는 밤의 느린 재즈",
    "Malayalam": "മഴയിൽ പതുക്കെ ഒരു വീണ, അവന്‍",
    "Navajo": "níłtsą́ bikʼeh hataał",
    "Persian": "یک گربه روی نیم‌کت، باران می‌بارد",
    "Polish": "wolna wiolonczela, zażółć gęślą jaźń",
    "Russian": "медленный рояль под дождём, ёлка",
    "Sinhala": "වැස්සේ ශ්‍රී වීණාව",
    "Tamil": "மழையில் மெதுவான வீணை",
    "Telugu": "వర్షంలో నెమ్మదైన వేణువు",
    "Thai": "ขลุ่ยช้าๆ ในคืนที่ฝนตก",
    "Tibetan": "ཆར་པའི་ནང་གི་གླིང་བུ།",
    "Turkish": "yağmurda ağır bir ney, IĞDIR ışığı",
    "Ukrainian": "повільна бандура під дощем, ґанок",
    "Urdu": "بارش میں دھیمی بانسری، ۵ منٹ",
    "Vietnamese": "tiếng đàn bầu chậm rãi trong đêm mưa",
    "Yoruba": "ìlù dùndún díẹ̀díẹ̀ nínú òjò",
}

#: What editors, keyboards and shells put into a text.
SIGNS = {
    "a family of emoji": "a band: 👨‍👩‍👧‍👦 on stage",
    "skin tones and professions": "👩🏽‍🎤 sings, 👩‍❤️‍💋‍👨 dance",
    "flags and keycaps": "🇺🇦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 3️⃣ ☔︎",
    "an emoji that this runtime does not know": "a 🫪 and \U0001fc00 at dusk",
    "a half-space": "می‌خواهم",
    "a no-break space": "10\u00a0km of sea",
    "spaces of other widths": "thin\u2009space,\u3000ideographic\u2003em",
    "a soft hyphen": "waveta\u00adble",
    "combining marks": "e\u0301tude, n\u0303, Z͑ͫ̓a̴l̷g̸o",
    "both normal forms": "é and e\u0301",
    "an ancient script": "𓆣 𐎠𐎭 𝄞",
    "a byte order mark inside": "a\ufeffb",
    "marks of direction": "\u200fעברית\u200e (\u2067x\u2069) \u202aLTR\u202c",
    "line and paragraph separators": "verse\u2028chorus\u2029end",
    "tabs and line breaks": "verse:\tone\nchorus:\ttwo\rend\n",
    "spaces at both ends": "  slow piano ",
    "a noncharacter": "a\ufdd0b\U0010ffff",
    "interlinear marks": "\ufff9漢\ufffaかん\ufffb",
    "JSON in a prompt": '{"prompt": "x\\n"}',
    "markup and quotes": '<b>"it\'s"</b> \\ %s {x} $y `z`',
}

NATURAL = {**LANGUAGES, **SIGNS}
