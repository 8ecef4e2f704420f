/// Texts to measure with if none are given: plain and odd, short and long, in several scripts.
package enum SampleTexts {
  package static let all = [
    "How do I reset my password?", "I was charged twice this month and nobody answers my calls.",
    "The server has been down since four in the morning.", "Thank you, that solved it.",
    "What is the capital of Burkina Faso?",
    "The committee arrived two hours before the minister's speech.",
    "A retired judge quietly admires seven broken clocks.", "Refund!", "ok", "no", "42", "",
    "This camera costs more than the summer of 1987, and it stopped working because of an unpaid invoice.",
    "Please cancel my subscription at the end of the billing period, and confirm by mail.",
    "SELECT name FROM users WHERE id = 'b';", "https://example.com/a?b=c&d=%20#e",
    "The film was a joy from the first frame to the last.",
    "Nothing in this restaurant was worth the wait, the noise or the price.",
    "Café crème, s'il vous plaît.", "Der Straßenbahnfahrer aß Grünkohl in Köln.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.", "Съешь же ещё этих мягких французских булок.",
    "今日はとても良い天気です。", "저는 커피를 마시고 싶어요.", "مرحبا بالعالم", "I love this 😍😍😍",
    "The old lighthouse keeper counted the ships that passed, wrote their names into a ledger, and every "
      + "winter, when the storms came, read the list aloud to the dog, who slept.",
    "Three litres of olive oil, two onions, a bay leaf; simmer until the lentils are soft.",
    "def parse(text): return [int(x) for x in text.split(',') if x]",
    "Is this mushroom poisonous? It has white gills, a ring around the stem, and smells of almonds.",
  ]
}
