import TestSupport
import VDSQConversion
import VDSQFormat
import VDSQ
import VDSQSemantics

import VDSQTraining

/// A converted model and labelled texts that it tells apart.
struct TrainingFixture {
  let folder: TemporaryFolder
  let model: Model
  let examples: [Examples.Example]

  /// - Parameter perLabel: examples of each of two labels.
  init(perLabel: Int = 9) throws {
    folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    model = try Model(path: folder.path("m.vdsq"))
    examples = Self.texts(perLabel: perLabel)
  }

  /// Texts of two labels, in turns.
  static func texts(perLabel: Int) -> [Examples.Example] {
    let words = ["hello", "world", "twelve", "a café", "yes", "go on", "the", "is", "12"]
    return (0..<2 * perLabel).map { i in
      let word = words[i / 2 % words.count]
      let more = String(repeating: " and", count: i / 2 / words.count)
      return i % 2 == 0
        ? .init(text: "stop \(word)\(more)", label: "stop")
        : .init(text: "\(word) hello\(more)", label: "hello")
    }
  }

  var labels: [Label] { Examples.labels(of: examples) }
}
