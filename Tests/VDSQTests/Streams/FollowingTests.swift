import Foundation
import Synchronization
import TestSupport
import Testing
import VDSQ
import VDSQTraining

/// Classifiers whose files are replaced while they run, well and badly.
@Suite struct FollowingTests {
  private let fixture: ConvertedModel
  private let path: String

  init() throws {
    fixture = try ConvertedModel()
    path = fixture.folder.path("followed")
  }

  private final class Warnings: Sendable {
    let all = Mutex<[String]>([])
    var count: Int { all.withLock { $0.count } }
  }

  private func options(_ warnings: Warnings) -> TextClassifier.Options {
    var options = TextClassifier.Options()
    options.onWarning = { line in warnings.all.withLock { $0.append(line) } }
    return options
  }

  private func adapter(_ names: [String], of model: Model? = nil) throws -> Data {
    let examples = names.flatMap { name in
      ["hello \(name)", "\(name) stop"].map { Examples.Example(text: $0, label: name) }
    }
    var training = TrainingOptions()
    training.method = .frozen
    let other = fixture.folder.path("other.vdsa")
    try FewShotTrainer.adapter(
      model: model ?? fixture.model, labels: Examples.labels(of: examples), examples: examples,
      options: training
    ).write(to: other, replace: true)
    return try Data(contentsOf: URL(filePath: other))
  }

  /// Overwrites the file where it lies, as `cp` does.
  private func overwrite(_ data: Data) throws {
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: data)
    try file.close()
  }

  /// Asks until the labels are those; a file that failed is tried again after a while.
  private func waits(_ classifier: TextClassifier, for names: [String]) throws -> Bool {
    for _ in 0..<100 {
      _ = try classifier.classify("hello")
      if classifier.labels == names { return true }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return false
  }

  @Test func filesThatCannotBeUsedChangeNothing() throws {
    let (first, second) = (try adapter(["a", "b"]), try adapter(["c", "d", "e"]))
    let foreign = try ConvertedModel("bert-cls-f16")
    let bad = [
      Data(), Data("garbage".utf8), first.prefix(first.count / 2), first + Data([0]),
      Data(repeating: 0, count: first.count), try adapter(["a", "b"], of: foreign.model),
    ]
    try first.write(to: URL(filePath: path))
    let warnings = Warnings()
    let classifier = try TextClassifier(
      model: fixture.model, adapterFile: path, options: options(warnings))
    let wanted = try classifier.classify("hello a")
    for (i, data) in bad.enumerated() {
      try overwrite(data)
      for _ in 0..<3 { #expect(try classifier.classify("hello a") == wanted) }
      #expect(warnings.count == i + 1, "one warning each time")
      try overwrite(second)
      #expect(try waits(classifier, for: ["c", "d", "e"]))
      try overwrite(first)
      #expect(try waits(classifier, for: ["a", "b"]))
      #expect(try classifier.classify("hello a") == wanted && warnings.count == i + 1)
    }
    try FileManager.default.removeItem(atPath: path)
    for _ in 0..<3 { #expect(try classifier.classify("hello a") == wanted) }
    #expect(warnings.count == bad.count + 1)
    try second.write(to: URL(filePath: path))
    #expect(try waits(classifier, for: ["c", "d", "e"]))
  }

  /// A file of the same length and the same time of change, as within a tick of the clock.
  @Test func changesThatTheTimeDoesNotShow() throws {
    let time = Date(timeIntervalSince1970: 1_700_000_000)
    func write(_ text: String) throws {
      if FileManager.default.fileExists(atPath: path) {
        try overwrite(Data(text.utf8))
      } else {
        try Data(text.utf8).write(to: URL(filePath: path))
      }
      try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    }
    try write("hello\nstop\n")
    let classifier = try TextClassifier(model: fixture.model, labelsFile: path)
    #expect(classifier.labels == ["hello", "stop"])
    try write("hello\nwait\n")
    #expect(try waits(classifier, for: ["hello", "wait"]))
  }

  @Test func labelFiles() throws {
    try Data("hello\nstop\n".utf8).write(to: URL(filePath: path))
    let warnings = Warnings()
    let classifier = try TextClassifier(
      model: fixture.model, labelsFile: path, options: options(warnings))
    let before = try classifier.classify("hello")
    for bad in ["", "hello\n", "hello\nhello\n", "hello=a=b\n", "{\"hello\"", "a\u{7}\nb\n"] {
      try overwrite(Data(bad.utf8))
      #expect(try classifier.classify("hello") == before)
    }
    #expect(warnings.count == 1)
    try overwrite(Data("# new\nstop\nworld=hello\nwait\n".utf8))
    #expect(try waits(classifier, for: ["stop", "world", "wait"]))
    #expect(try classifier.classify("hello").label == "world")
  }

  /// A pipe in place of the file is not waited for.
  @Test func aPipeChangesNothing() throws {
    try adapter(["a", "b"]).write(to: URL(filePath: path))
    let warnings = Warnings()
    let classifier = try TextClassifier(
      model: fixture.model, adapterFile: path, options: options(warnings))
    try FileManager.default.removeItem(atPath: path)
    #expect(mkfifo(path, 0o600) == 0)
    for _ in 0..<3 { _ = try classifier.classify("hello") }
    #expect(classifier.labels == ["a", "b"] && warnings.count == 1)
    try FileManager.default.removeItem(atPath: path)
    try adapter(["c", "d"]).write(to: URL(filePath: path))
    #expect(try waits(classifier, for: ["c", "d"]))
  }
}
