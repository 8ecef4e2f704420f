import CShims
import VDSQStreams

/// The processors that this process may use.
package enum Processors {
  /// The number of threads that can run at a time, 1 or more: the processors of the affinity mask
  /// (`taskset`, cpusets), but at most the CPU time per second that the control groups grant,
  /// rounded up.
  package static var available: Int {
    let allowed = max(1, Int(vdsq_allowed_processors()))
    return min(allowed, quota() ?? allowed)
  }

  /// The CPU time per second that the control groups grant, in processors, rounded up: the smallest
  /// quota of the process's groups and the groups around them. Nil if there is none.
  ///
  /// Version 2 has quotas in `cpu.max`, version 1 in `cpu.cfs_quota_us` and `cpu.cfs_period_us`
  /// (Linux, Documentation/admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst).
  ///
  /// - Parameter root: the folder that holds `proc` and the mounted hierarchies; empty for that of
  ///   the process.
  package static func quota(root: String = "") -> Int? {
    var smallest: Int?
    for hierarchy in hierarchies(root: root) {
      var folder = hierarchy.folder
      while true {
        if let quota = hierarchy.isVersion2 ? version2(root + folder) : version1(root + folder) {
          smallest = min(smallest ?? quota, quota)
        }
        guard folder.utf8.count > hierarchy.mountPoint.utf8.count,
          let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/"))
        else { break }
        folder = String(folder[..<slash])
      }
    }
    return smallest
  }

  /// A mounted hierarchy of control groups with the process's group in it.
  private struct Hierarchy {
    let isVersion2: Bool
    let mountPoint: String
    /// The folder of the group, within the mount point.
    let folder: String
  }

  private static func hierarchies(root: String) -> [Hierarchy] {
    // HIERARCHY:CONTROLLERS:PATH; version 2 has no controllers.
    var version2Group: String?
    var version1Group: String?
    forEachLine(of: root + "/proc/self/cgroup") { line in
      let fields = split(line, at: UInt8(ascii: ":"), most: 3)
      guard fields.count == 3 else { return }
      if fields[0].elementsEqual("0".utf8), fields[1].isEmpty { version2Group = text(fields[2]) }
      if split(fields[1], at: UInt8(ascii: ",")).contains(where: { $0.elementsEqual("cpu".utf8) }) {
        version1Group = text(fields[2])
      }
    }
    // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS... - TYPE SOURCE OPTIONS.
    var all: [Hierarchy] = []
    forEachLine(of: root + "/proc/self/mountinfo") { line in
      let fields = split(line, at: UInt8(ascii: " "))
      guard fields.count >= 10,
        let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }),
        dash + 3 < fields.count
      else { return }
      let isVersion2 = fields[dash + 1].elementsEqual("cgroup2".utf8)
      let isVersion1 =
        fields[dash + 1].elementsEqual("cgroup".utf8)
        && split(fields[dash + 3], at: UInt8(ascii: ",")).contains {
          $0.elementsEqual("cpu".utf8)
        }
      guard isVersion1 || isVersion2, let group = isVersion2 ? version2Group : version1Group else {
        return
      }
      let mountPoint = unescaped(fields[4])
      all.append(
        Hierarchy(
          isVersion2: isVersion2, mountPoint: mountPoint,
          folder: mountPoint + path(of: group, below: unescaped(fields[3]))))
    }
    if all.isEmpty {
      // Without /proc, the usual mount points show the group of a container.
      for (isVersion2, place) in [(true, ""), (false, "/cpu"), (false, "/cpu,cpuacct")] {
        let folder = "/sys/fs/cgroup" + place
        all.append(Hierarchy(isVersion2: isVersion2, mountPoint: folder, folder: folder))
      }
    }
    return all
  }

  /// The path of a group within a mount that shows the groups below `base`; empty for `base` itself
  /// and for groups that the mount does not show.
  private static func path(of group: String, below base: String) -> String {
    var rest = group.utf8[...]
    if !base.utf8.elementsEqual("/".utf8) {
      guard rest.starts(with: base.utf8) else { return "" }
      rest = rest.dropFirst(base.utf8.count)
      guard rest.isEmpty || rest.first == UInt8(ascii: "/") else { return "" }
    }
    // A group outside of the process's namespace.
    if rest.starts(with: "/..".utf8) || rest.elementsEqual("/".utf8) { return "" }
    return String(Substring(rest))
  }

  private static func version2(_ folder: String) -> Int? {
    var result: Int?
    forEachLine(of: folder + "/cpu.max") { line in
      let fields = split(line, at: UInt8(ascii: " "))
      guard let quota = fields.first.flatMap(number) else { return }
      result = processors(quota: quota, period: fields.dropFirst().first.flatMap(number) ?? 100_000)
    }
    return result
  }

  private static func version1(_ folder: String) -> Int? {
    var quota: Int?
    var period: Int?
    forEachLine(of: folder + "/cpu.cfs_quota_us") { quota = number($0) }
    forEachLine(of: folder + "/cpu.cfs_period_us") { period = number($0) }
    guard let quota, let period else { return nil }
    return processors(quota: quota, period: period)
  }

  /// Nil if the period is none.
  private static func processors(quota: Int, period: Int) -> Int? {
    guard period > 0 else { return nil }
    return max(1, quota / period + (quota % period > 0 ? 1 : 0))
  }

  // MARK: Bytes

  private static func forEachLine(of path: String, _ body: ([UInt8]) -> Void) {
    let descriptor = path.withCString { vdsq_open_for_reading($0) }
    guard descriptor >= 0 else { return }
    defer { vdsq_close(descriptor) }
    let reader = LineReader(descriptor: descriptor, name: path)
    while let line = try? reader.next() { body(Array(line.bytes)) }
  }

  private static func split(
    _ bytes: some Collection<UInt8>, at separator: UInt8, most: Int = .max
  ) -> [[UInt8]] {
    var parts: [[UInt8]] = [[]]
    for byte in bytes {
      if byte == separator, parts.count < most {
        parts.append([])
      } else {
        parts[parts.count - 1].append(byte)
      }
    }
    return parts
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// A number from 0 up; nil for anything else, such as `max` and -1, which mean no limit.
  private static func number(_ bytes: [UInt8]) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var number = 0
    for byte in bytes {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }

  /// A path of `mountinfo`, in which a backslash and three octal digits stand for a byte.
  private static func unescaped(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 })
      {
        out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
        rest = rest.dropFirst(3)
      } else {
        out.append(byte)
      }
    }
    return text(out)
  }
}
