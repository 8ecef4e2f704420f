import CShims
import VDSQFormat

/// The program's arguments after its name. Embedded Swift has no `CommandLine`, so the kernel is
/// asked: `/proc/self/cmdline` has them with a null after each.
///
/// - Throws: `internalFault` if `/proc` is not mounted.
func commandArguments() throws(VDSQError) -> [String] {
  let descriptor = vdsq_open_for_reading("/proc/self/cmdline")
  guard descriptor >= 0 else {
    throw VDSQError(.internalFault, "/proc/self/cmdline cannot be read: \(lastErrorText())")
  }
  defer { vdsq_close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = chunk.withUnsafeMutableBytes { vdsq_read(descriptor, $0.baseAddress, 4096) }
    if count <= 0 { break }
    bytes.append(contentsOf: chunk[..<Int(count)])
  }
  var arguments: [String] = []
  for part in bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false) {
    arguments.append(String(decoding: part, as: UTF8.self))
  }
  return Array(arguments.dropFirst())
}
