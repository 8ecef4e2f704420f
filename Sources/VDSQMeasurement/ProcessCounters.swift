import Glibc

/// What the system counts of this process, and the machine's energy; differences of two are what happened between.
public struct ProcessCounters: Sendable {
  /// Pages that were mapped without reading a file, and those that a file had to be read for.
  public var minorFaults = 0
  public var majorFaults = 0
  /// Bytes that came from storage, by reading or by faults; nil where the system does not tell.
  public var storageBytes: Int?
  /// Bytes that calls to read gave, from storage or from the page cache.
  public var callBytes: Int?
  /// Joules of all processor packages; nil where RAPL cannot be read.
  public var joules: Double?

  public static func now() -> ProcessCounters {
    var counters = ProcessCounters()
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    counters.minorFaults = usage.ru_minflt
    counters.majorFaults = usage.ru_majflt
    let io = fields("/proc/self/io")
    counters.storageBytes = io["read_bytes"]
    counters.callBytes = io["rchar"]
    counters.joules = energy()
    return counters
  }

  public static func - (a: ProcessCounters, b: ProcessCounters) -> ProcessCounters {
    func difference<N: Numeric>(_ x: N?, _ y: N?) -> N? {
      if let x, let y { x - y } else { nil }
    }
    var counters = ProcessCounters()
    counters.minorFaults = a.minorFaults - b.minorFaults
    counters.majorFaults = a.majorFaults - b.majorFaults
    counters.storageBytes = difference(a.storageBytes, b.storageBytes)
    counters.callBytes = difference(a.callBytes, b.callBytes)
    counters.joules = difference(a.joules, b.joules).flatMap { $0 >= 0 ? $0 : nil }
    return counters
  }

  /// The packages' counters together (Linux, power capping framework). They start anew after some minutes of full
  /// load at the soonest; a difference over that is nil.
  private static func energy() -> Double? {
    var sum = 0.0
    var isKnown = false
    for package in 0..<16 {
      let path = "/sys/class/powercap/intel-rapl:\(package)/energy_uj"
      guard let text = contents(path), let microjoules = Double(text.filter(\.isNumber)) else {
        break
      }
      sum += microjoules * 1e-6
      isKnown = true
    }
    return isKnown ? sum : nil
  }

  private static func fields(_ path: String) -> [String: Int] {
    var found: [String: Int] = [:]
    for line in (contents(path) ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":")
      guard parts.count == 2, let value = Int(parts[1].filter(\.isNumber)) else { continue }
      found[String(parts[0])] = value
    }
    return found
  }

  /// A small file of the system's.
  private static func contents(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
