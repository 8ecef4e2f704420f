import Glibc
package import VDSQ
import VDSQCheckpoints
package import VDSQFormat
import VDSQInference

extension Footprint {
  /// The footprints of a model in `vdsq-run`, which measures itself.
  ///
  /// - Parameters:
  ///   - program: the path of `vdsq-run`, or the name alone. A name is looked for beside this
  ///     program first, then in `PATH`.
  ///   - arguments: the model and the options of the work.
  /// - Throws: the errors of running the program; `badInput` if it is another one.
  package static func each(
    inProgram program: String, arguments: [String]
  ) throws(VDSQError) -> [Footprint] {
    let output = try ChildProcess.output(of: path(of: program), arguments: arguments + ["--plan"])
    let plans = try JSON(parsing: output, context: program).elements ?? []
    let footprints = plans.compactMap { (plan) -> Footprint? in
      guard let name = plan["policy"]?.text, let policy = MemoryPolicy(name: name),
        let list = plan["parts"]?.elements, let tokens = plan["maximum_tokens"]?.integer,
        let isCut = plan["is_cut"]?.boolean
      else { return nil }
      let parts = list.compactMap { (part) -> Part? in
        guard let name = part["name"]?.text, let bytes = part["bytes"]?.integer else { return nil }
        return Part(name: name, bytes: bytes)
      }
      return parts.count == list.count
        ? Footprint(policy, parts: parts, maximumTokens: tokens, isCut: isCut) : nil
    }
    guard !footprints.isEmpty, footprints.count == plans.count else {
      throw .badInput("\(program): this program does not tell its memory; is it vdsq-run?")
    }
    return footprints
  }

  private static func path(of program: String) -> String {
    guard !program.utf8.contains(UInt8(ascii: "/")) else { return program }
    var link = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = link.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard length > 0, let slash = link[..<length].lastIndex(of: UInt8(ascii: "/")) else {
      return program
    }
    let beside = String(decoding: link[...slash], as: UTF8.self) + program
    return access(beside, X_OK) == 0 ? beside : program
  }
}
