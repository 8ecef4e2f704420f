// Trains an adapter on a few labelled texts and classifies standard input by it.
//   swift run adapt minilm.vdsq tickets.vdsa < mail.txt
import VDSQ
import VDSQTraining

guard CommandLine.arguments.count == 3 else { fatalError("usage: adapt MODEL ADAPTER") }
let model = try Model(path: CommandLine.arguments[1])
let examples = [
  ("billing", "I was charged twice this month."), ("billing", "Please send the invoice again."),
  ("billing", "My card was declined."), ("billing", "How do I get a refund?"),
  ("outage", "The site is down."), ("outage", "I get an error when I log in."),
  ("outage", "Pages take minutes to load."), ("outage", "The server does not respond."),
].map { Examples.Example(text: $0.1, label: $0.0) }

let adapter = try FewShotTrainer.adapter(
  model: model, labels: [Label(name: "billing"), Label(name: "outage")], examples: examples)
_ = try adapter.write(to: CommandLine.arguments[2], replace: true)

let classifier = try TextClassifier(model: model, adapter: adapter)
while let line = readLine() {
  let prediction = try classifier.classify(line)
  print(prediction.label, prediction.probability, line, separator: "\t")
}
