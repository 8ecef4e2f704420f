import Glibc
package import VDSQFormat
import VDSQStreams

/// The files that a command reads and writes. None may be both.
package struct CommandFiles {
  /// Paths that the command reads; nil for options that are not given. A checkpoint's folder stands
  /// for the files in it.
  package var inputs: [String?]
  /// Paths that the command writes.
  package var outputs: [String?]
  /// Whether outputs may be there already.
  package var replaces: Bool
  /// Whether the command reads standard input.
  package var readsStandardInput: Bool

  /// No files, unless some are named.
  package init(
    inputs: [String?] = [], outputs: [String?] = [], replaces: Bool = true,
    readsStandardInput: Bool = false
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.replaces = replaces
    self.readsStandardInput = readsStandardInput
  }

  /// - Throws: `usage` if a file is an input and an output, or an output twice, under whatever
  ///   names; or if an output is there and may not be replaced.
  package func check() throws(VDSQError) {
    let readers = inputs.filter { $0 == "-" }.count + (readsStandardInput ? 1 : 0)
    guard readers < 2 else {
      throw .usage("-: standard input can be read only once; name a file")
    }
    if readers > 0 { try ProcessStart.checkStandardOutput() }
    let outputs = outputs.compactMap { $0 }
    for (index, output) in outputs.enumerated() {
      let isRepeated = outputs[..<index].contains {
        AtomicFile.target(of: $0).utf8.elementsEqual(AtomicFile.target(of: output).utf8)
      }
      guard !isRepeated else { throw .usage("\(output): two outputs have this name") }
      guard let identity = Identity(of: output) else { continue }
      if readers > 0, Identity(of: 0) == identity {
        throw .usage("\(output): this file is also standard input; write to another")
      }
      guard Identity(of: 1) != identity else {
        throw .usage("\(output): this file is also standard output; write to another")
      }
      for input in inputs.compactMap({ $0 }) {
        if let same = Self.files(input).first(where: { Identity(of: $0) == identity }) {
          throw .usage("\(output): this file is also the input \(same); write to another")
        }
      }
    }
    if !replaces { for output in outputs { try AtomicFile.checkAbsent(output) } }
    if let standardOutput = Identity(of: 1) {
      for input in inputs.compactMap({ $0 }) where Identity(of: input) == standardOutput {
        throw .usage("\(input): this file is also standard output; write to another")
      }
    }
  }

  /// The file, or those files of a checkpoint's folder that a command has not made itself.
  private static func files(_ path: String, depth: Int = 0) -> [String] {
    guard let folder = opendir(path) else { return [path] }
    defer { closedir(folder) }
    var files: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      // Models and pages may be written into the folder, and replaced there.
      guard !name.hasPrefix("."), ![".vdsq", ".vdsa", ".html"].contains(where: name.hasSuffix)
      else { continue }
      let file = "\(path)/\(name)"
      if Identity(of: file) != nil {
        files.append(file)
      } else if depth < 2 {
        files += Self.files(file, depth: depth + 1)
      }
    }
    return files
  }

  /// What a regular file has in common under all its names.
  private struct Identity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      (device, inode) = (status.st_dev, status.st_ino)
    }

    init?(of descriptor: Int32) {
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      (device, inode) = (status.st_dev, status.st_ino)
    }
  }
}
