import ArgumentParser
import Glibc
import VDSQFiles
import VDSQFormat

/// Becomes `vdsqd`. The server's libraries would otherwise be part of every start of `vdsq`.
struct Serve: Command {
  static let configuration = CommandConfiguration(
    abstract: "Serves models over HTTP; runs vdsqd with the same arguments.",
    discussion: """
      vdsqd lies beside vdsq, or in PATH. vdsq serve --help shows its options.
      """)

  @Argument(parsing: .captureForPassthrough, help: "The arguments of vdsqd.")
  var arguments: [String] = []

  var files: CommandFiles { CommandFiles(inputs: [], outputs: []) }

  func execute() throws(VDSQError) {
    var pointers = (["vdsqd"] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &path, path.count - 1)
    if length > 0 {
      let own = String(decoding: path[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
      execv(own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + "vdsqd", &pointers)
    }
    execvp("vdsqd", &pointers)
    throw VDSQError(
      .missingInput, "vdsqd is neither beside vdsq nor in PATH; build it, or install its package")
  }
}
