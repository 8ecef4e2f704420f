import Foundation
import TestSupport
import Testing

/// A program's failure as users see it: the documented exit code, and a line that names what is wrong.
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
