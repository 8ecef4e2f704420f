// Classifies each line of standard input without any example: a label means what its words say.
//   swift run classify minilm.vdsq billing outage spam < mail.txt
import VDSQ

let arguments = CommandLine.arguments.dropFirst()
guard let path = arguments.first, arguments.count > 2 else {
  fatalError("usage: classify MODEL LABEL LABEL...")
}
let classifier = try TextClassifier(
  model: Model(path: path), labels: arguments.dropFirst().map { Label(name: $0) })
while let line = readLine() {
  let prediction = try classifier.classify(line)
  print(prediction.label, prediction.probability, line, separator: "\t")
}
