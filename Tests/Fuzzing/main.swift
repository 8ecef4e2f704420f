import Glibc
import VDSQFormat

// One program for all targets. VDSQ_FUZZ_TARGET names the target that libFuzzer runs (set by
// Tools/fuzz).

/// A reader of untrusted bytes. It may refuse them with a typed error, and must not fail otherwise.
typealias FuzzTarget = @Sendable (UnsafeRawBufferPointer) throws(VDSQError) -> Void

let targets: [String: FuzzTarget] = [
  "container": fuzzContainer, "safetensors": fuzzSafetensors, "gguf": fuzzGGUF,
  "onnx": fuzzONNX, "pytorch": fuzzPyTorch, "tokenizer": fuzzTokenizer, "lz4": fuzzLZ4,
  "record": fuzzRecord, "labels": fuzzLabels, "examples": fuzzExamples, "settings": fuzzSettings,
]
let name = getenv("VDSQ_FUZZ_TARGET").map { String(cString: $0) } ?? ""
guard let target = targets[name] else {
  fatalError("VDSQ_FUZZ_TARGET must be one of \(targets.keys.sorted().joined(separator: ", "))")
}
Chosen.target = target

enum Chosen {
  nonisolated(unsafe) static var target: FuzzTarget = { _ in }
}

/// The loop of libFuzzer, which its own `main` would run.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  runDriver(&count, &arguments) { start, count in
    do throws(VDSQError) {
      try Chosen.target(UnsafeRawBufferPointer(start: start, count: count))
    } catch {
      // An error must have a message and must not be an internal fault.
      precondition(!error.message.isEmpty && error.category != .internalFault, error.message)
    }
    return 0
  })

/// A file in memory with a path that readers can open.
enum MemoryFile {
  private static let descriptor: Int32 = {
    let name = "/dev/shm/vdsq-fuzz-\(getpid())"
    let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    unlink(name)
    return descriptor
  }()

  static func path(of bytes: UnsafeRawBufferPointer) -> String {
    precondition(descriptor >= 0 && ftruncate(descriptor, off_t(bytes.count)) == 0)
    precondition(pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count)
    return "/proc/self/fd/\(descriptor)"
  }
}
