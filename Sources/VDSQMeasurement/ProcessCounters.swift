import Glibc

/// The system's counters of this process, and the energy of the machine. The difference of two
/// values describes the time between them.
package struct ProcessCounters: Sendable {
  /// Page faults that did not read from a file, and page faults that did.
  package var minorFaults = 0
  /// Page faults that read from a file.
  package var majorFaults = 0
  /// Bytes read from storage, by reads or by faults; nil if the system does not report it.
  package var storageBytes: Int?
  /// Bytes returned by read calls, from storage or from the page cache.
  package var callBytes: Int?
  /// Joules of all processor packages; nil if RAPL cannot be read.
  package var joules: Double?

  /// Reads the counters of this process since its start.
  package static func now() -> ProcessCounters {
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

  /// The counters between two moments. A value that either lacks is nil, and so is energy across a
  /// wrap of its counter.
  package static func - (a: ProcessCounters, b: ProcessCounters) -> ProcessCounters {
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

  /// The sum of the packages' counters (Linux power capping framework). Counters wrap around after
  /// some minutes of full load or later; a difference across a wrap is nil.
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

  /// The content of a small file of the system.
  private static func contents(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
