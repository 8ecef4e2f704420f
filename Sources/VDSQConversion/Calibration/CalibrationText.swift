import VDSQFiles

/// Sentences that a model reads during a conversion, to see which states and tokens it produces:
/// plain English of many kinds, written for this purpose.
package enum CalibrationText {
  /// The SHA-256 of the sentences, in hexadecimal, which files record.
  package static var digest: String {
    let text = Array(sentences.joined(separator: "\n").utf8)
    return text.withUnsafeBytes { SHA256.digest(of: $0) }.map {
      ($0 < 16 ? "0" : "") + String($0, radix: 16)
    }.joined()
  }

  package static let sentences = [
    "The train to the coast leaves at half past nine and arrives before noon.",
    "She put the book back on the shelf and looked for another one about birds.",
    "Please send the signed form to the office by Friday, or call us if you need more time.",
    "How many people live in this town, and how many of them work here?",
    "The film opens in a small village in the north, where nothing has happened for years.",
    "I changed my password this morning, and now the page does not load at all.",
    "The company reported higher sales for the third quarter, but its costs rose faster.",
    "This package provides a library of functions for reading and writing image files.",
    "The match ended in a draw after extra time, although the visitors had the better chances.",
    "He has worked as a carpenter for twenty years and still likes the smell of fresh wood.",
    "Where can I find the settings for the camera, and what does the second button do?",
    "The phone came in a plain box with a cable, a charger and a very thin manual.",
    "Scientists measured the temperature of the lake every day for more than ten years.",
    "They walked along the river until it was dark, and talked about the next summer.",
    "The government announced a new plan for the roads on Tuesday, which will cost two billion.",
    "My order has not arrived yet, and nobody answers when I write to the shop.",
    "Add two spoons of sugar, stir the mixture slowly, and let it rest for an hour.",
    "The acting is wonderful, the music is beautiful, and the ending made me cry.",
    "It is a dull and tired story with characters that nobody could care about.",
    "The patient was examined again after a week, and the doctors found no signs of infection.",
    "In 1969 the first people landed on the Moon, and half a billion watched them on television.",
    "The program prints a list of all open files, one per line, with the name of their owner.",
    "If the pressure is too low, close the valve, wait for a minute and start the pump again.",
    "The capital of the country is its largest city, but most of the industry is in the south.",
    "Heavy rain is expected in the west tomorrow, with strong winds near the coast.",
    "We are happy to tell you that your application has been accepted.",
    "The court will hear the case in March, the lawyers of both sides said.",
    "You can pay by card or in cash, but tickets are cheaper if you buy them early.",
    "A bird that cannot fly may still be a very good swimmer, as the penguin shows.",
    "The battery lasts about a day, the screen is bright, and the price is fair.",
    "Why does the sky turn red in the evening and not at noon?",
    "The old bridge was closed for repairs, so the bus had to take another way through the valley.",
    "def add(a, b): return a + b  # the sum of two numbers",
    "Her second novel sold better than the first, though most critics liked it less.",
    "No one was hurt in the fire, which began in the kitchen and destroyed the roof.",
    "The students asked for more time, and the teacher gave them until Monday.",
    "The service was slow, the soup was cold, and the waiter was rude to us.",
    "Shares of the bank fell by five percent after the news of the investigation.",
    "What is the name of the tallest tree in the world, and how old is it?",
    "The new version fixes several errors and makes the search much faster.",
  ]
}
