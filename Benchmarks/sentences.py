"""200 varied sentences: plain English, other scripts, accents, emoji, long, odd and empty."""
import itertools

SUBJECTS = ["The printer", "My neighbour's dog", "A retired judge", "This camera", "The night bus",
            "Our accountant", "The river", "An old violin", "The committee", "Her younger brother",
            "The database server", "A flock of starlings"]
VERBS = ["refuses to cooperate with", "was found behind", "costs more than", "quietly admires",
         "stopped working because of", "arrived two hours before", "reminds everyone of",
         "will never replace", "was painted next to", "depends entirely on"]
OBJECTS = ["the new tax rules", "a bowl of lentil soup", "the football final", "seven broken clocks",
           "the hospital's east wing", "an unpaid invoice", "the summer of 1987", "a quantum computer",
           "the minister's speech", "three litres of olive oil", "the lighthouse at Cape Wrath"]
QUESTIONS = ["How do I reset my password?", "What is the capital of Burkina Faso?",
             "Who wrote Middlemarch?", "Why is the sky blue at noon and red at dusk?",
             "When does the pharmacy close on Sundays?", "Is this mushroom poisonous?",
             "Where can I renew my driving licence?", "Could you translate this into Finnish?"]
SHORT = ["ok", "No.", "Refund!", "spam", "Thanks a lot", "why", "42", "e = mc^2", "apt-get update", "HELP"]
SCRIPTS = ["Café crème, s'il vous plaît.", "Der Straßenbahnfahrer aß Grünkohl in Köln.",
           "El niño comió una piña en Logroño.", "Příliš žluťoučký kůň úpěl ďábelské ódy.",
           "Zażółć gęślą jaźń.", "Árvíztűrő tükörfúrógép", "Çok güzel bir şehir: İstanbul.",
           "Þetta er íslenska.", "Hyvää huomenta, Jyväskylä!", "São Paulo não dorme.",
           "Съешь же ещё этих мягких французских булок.", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.",
           "今日はとても良い天気です。", "我想预订两张去北京的火车票。", "東京タワーに行きたい", "저는 커피를 마시고 싶어요.",
           "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "Xin chào thế giới",
           "გამარჯობა მსოფლიო", "Բարեւ աշխարհ", "வணக்கம் உலகம்", "naïve façade coöperation",
           "e\u0301 and é are the same to a reader", "ﬁnancial ﬂow", "２０２６年１１月"]
EMOJI = ["I love this 😍😍😍", "🚀🚀 to the moon", "Great service 👍🏽 but slow 🐌", "🇫🇷 vs 🇧🇷 tonight ⚽",
         "👩‍👩‍👧‍👦 family trip 🏖️", "☕ + 💻 = ❤️", "😀", "¯\\_(ツ)_/¯"]
ODD = ["", " ", "...", "[MASK]", "https://example.com/a?b=c&d=%20#e", "user@example.org", "a" * 150,
       "C:\\Windows\\System32", "{\"json\": [1, 2, {\"x\": null}]}", "SELECT * FROM t WHERE a = 'b';",
       "0x7fff_ffff", "tab\tseparated\tvalues", "zero\u200bwidth", "\ufeffbyte order mark"]


def sentences():
    plain = [f"{s} {v} {o}." for s, v, o in itertools.islice(
        ((SUBJECTS[(7 * i) % len(SUBJECTS)], VERBS[(3 * i) % len(VERBS)], OBJECTS[(5 * i) % len(OBJECTS)])
         for i in range(200)), 130)]
    long = [" ".join(plain[i:i + n]) for i, n in [(0, 4), (4, 8), (12, 12), (24, 20), (44, 30), (10, 60)]]
    long += [" ".join(SCRIPTS[:14]), " ".join(QUESTIONS), " ".join(EMOJI * 3), " ".join(SCRIPTS * 3)]
    rest = QUESTIONS + SHORT + SCRIPTS + EMOJI + ODD + long
    return plain[:200 - len(rest)] + rest


if __name__ == "__main__":
    print(len(sentences()), len(set(sentences())))
