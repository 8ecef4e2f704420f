import Foundation
import TestSupport
import Testing

/// Expects a program to fail as documented: with an exit code, and with a line that names the
/// problem.
func expectFailure(
  _ program: Program, _ arguments: [String], input: Data = Data("hello\n".utf8), status: Int32,
  mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let result = try program.run(arguments, input: input)
  #expect(
    result.status == status, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
  #expect(
    result.errors.lowercased().contains(word.lowercased()), "\(result.errors)",
    sourceLocation: sourceLocation)
}
