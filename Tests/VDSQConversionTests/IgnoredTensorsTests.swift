import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

/// Tensors that the model would compute something else with are left out only if that is asked for.
@Suite struct IgnoredTensorsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A GGUF file with two tensors that the architecture does not have.
  private func file() throws -> String {
    var file = GGUFEditor(try Fixtures.data("formats/llama.gguf"))
    for name in ["blk.0.ffn_gate_inp.weight", "blk.1.ffn_gate_inp.weight"] {
      file.tensors.append(
        .init(name: name, dimensions: [4], type: 0, data: Data(repeating: 0, count: 16)))
    }
    return try folder.write(file.data, to: "m.gguf")
  }

  private func convert(_ ignored: [String], _ path: String? = nil) throws -> (
    Converter, Converter.Summary, Container
  ) {
    var options = Converter.Options(weights: .int8)
    options.bases = nil
    options.ignored = ignored
    let converter = try Converter(folder: try path ?? file(), options: options)
    let output = folder.path("m.vdsq")
    let summary = try converter.write(
      to: output, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return (converter, summary, try Container(path: output, kind: .model))
  }

  private func error(_ ignored: [String]) -> VDSQError? {
    do {
      _ = try convert(ignored)
      return nil
    } catch { return error as? VDSQError }
  }

  @Test func unusedTensorsAreRefusedByName() throws {
    for ignored in [[], ["blk.0.*"]] {
      let told = try #require(error(ignored))
      #expect(told.setting == .ignoredTensors && told.category == .badInput)
      #expect(told.message.contains("blk.\(ignored.count).ffn_gate_inp.weight"))
    }
  }

  @Test func patternsLeaveThemOut() throws {
    let plain = try convert([], Fixtures.path("formats/llama.gguf")).2
    for patterns in [
      ["*ffn_gate_inp*"], ["blk.0.ffn_gate_inp.weight", "blk.1.ffn_gate_inp.weight"],
    ] {
      let (converter, summary, file) = try convert(patterns)
      #expect(summary.unused == ["blk.0.ffn_gate_inp.weight", "blk.1.ffn_gate_inp.weight"])
      #expect(converter.warnings.contains { $0.contains("2 tensors are ignored, as asked") })
      let provenance = String(decoding: try file.bytes(of: .provenance), as: UTF8.self)
      #expect(provenance.contains("\"ignore\":") && provenance.contains(patterns[0]))
      for section in file.sections where section.kind == .weights {
        #expect(plain.sections.contains { $0.checksum == section.checksum }, "\(section.name)")
      }
    }
  }

  /// A pattern leaves out nothing that is used, and does not go without effect.
  @Test(arguments: ["blk.0.ffn_gate.weight", "nothing*", "output", ""])
  func patternsAreOfTensorsThatAreLeftOut(_ pattern: String) throws {
    let told = try #require(error(["*_inp.weight", pattern]))
    #expect(told.category == .usage && told.setting == .ignoredTensors)
    #expect(told.message.hasPrefix("\(pattern): "))
  }
}
