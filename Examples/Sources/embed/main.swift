// Sorts the lines of standard input by how similar they are to a query, the most similar first.
//   swift run embed minilm.vdsq "How do I get my money back?" < mail.txt
import VDSQ

guard CommandLine.arguments.count == 3 else { fatalError("usage: embed MODEL QUERY") }
let embedder = try TextEmbedder(model: Model(path: CommandLine.arguments[1]))
var lines: [String] = []
while let line = readLine() { lines.append(line) }

// Sentence encoders normalize their vectors to length 1, so the dot product is the cosine.
let query = try embedder.embed(CommandLine.arguments[2])
let cosines = try embedder.embed(lines).map { vector in
  zip(query, vector).reduce(0) { $0 + $1.0 * $1.1 }
}
for (cosine, line) in zip(cosines, lines).sorted(by: { $0.0 > $1.0 }) {
  print(cosine, line, separator: "\t")
}
