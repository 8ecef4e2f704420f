import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQFormat

/// NumPy's archives of several arrays.
@Suite struct NPYTests {
  private func path(_ name: String) -> String { Fixtures.path("formats/\(name)") }

  private func expectRefused(
    _ path: String, mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(sourceLocation: sourceLocation) { try NPYFile(path: path) } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .badInput && error.message.contains(word)
    }
  }

  @Test func arraysByName() throws {
    let expected = (0..<24).map { Float($0).squareRoot() }
    for name in ["one.npz", "one.npz:head", "two.npz:head"] {
      let tensor = try NPYFile(path: path(name)).tensor
      #expect(tensor.shape == [6, 4])
      #expect(try tensor.read(rows: 0..<6) == expected)
    }
    let half = try NPYFile(path: path("two.npz:other")).tensor
    #expect(half.type == .float16)
    #expect(try half.read(rows: 5..<6) == expected[20...].map { Float(Float16($0)) })
  }

  @Test func whatCannotBeMeant() throws {
    expectRefused(path("two.npz"), mentioning: "head, other")
    expectRefused(path("two.npz:absent"), mentioning: "head, other")
    expectRefused(path("two.npz:../head"), mentioning: "head, other")
    expectRefused(path("packed.npz"), mentioning: "numpy.savez")
    let folder = try TemporaryFolder()
    let whole = try Fixtures.data("formats/one.npz")
    for cut in stride(from: 0, to: whole.count, by: 7) {
      expectRefused(try folder.write(whole.prefix(cut), to: "cut.npz"), mentioning: "cut.npz")
    }
  }
}
