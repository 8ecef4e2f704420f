import Foundation
import TestSupport
import Testing
import VDSQInference

/// Quotas of control groups, as kernels, Docker and systemd lay them out.
@Suite struct ProcessorsTests {
  /// A tree of files under a root folder; returns what `quota` reads there.
  private func quota(_ files: [String: String]) throws -> Int? {
    let root = try TemporaryFolder()
    for (path, text) in files {
      let url = root.url.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return Processors.quota(root: root.url.path)
  }

  private static let version2 =
    "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

  @Test(
    arguments: [
      ("max 100000\n", nil), ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1),
      ("1000 100000\n", 1), ("800000 100000\n", 8), ("300000\n", 3), ("", nil), ("0 0\n", nil),
    ] as [(String, Int?)])
  func version2RoundsUp(_ text: String, _ expected: Int?) throws {
    let found = try quota([
      "proc/self/cgroup": "0::/user.slice/a.scope\n", "proc/self/mountinfo": Self.version2,
      "sys/fs/cgroup/user.slice/a.scope/cpu.max": text,
    ])
    #expect(found == expected)
  }

  @Test func theSmallestAlongThePathCounts() throws {
    var files = [
      "proc/self/cgroup": "0::/a/b/c\n", "proc/self/mountinfo": Self.version2,
      "sys/fs/cgroup/a/cpu.max": "200000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
      "sys/fs/cgroup/a/b/c/cpu.max": "700000 100000\n",
      "sys/fs/cgroup/a/other/cpu.max": "100000 100000\n",
    ]
    #expect(try quota(files) == 2)
    files["sys/fs/cgroup/a/b/c/cpu.max"] = "100000 100000\n"
    #expect(try quota(files) == 1)
    files = files.filter { $0.key != "sys/fs/cgroup/a/b/c/cpu.max" }
    #expect(try quota(files) == 2)
  }

  @Test func version1HasTwoFiles() throws {
    var files = [
      "proc/self/cgroup": "12:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/x\n",
      "proc/self/mountinfo": """
      30 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      31 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct

      """,
      "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us": "250000\n",
      "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    ]
    #expect(try quota(files) == 3)
    files["sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us"] = "-1\n"
    #expect(try quota(files) == nil)
    files["sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us"] = "100000\n"
    files["sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us"] = "50000\n"
    #expect(try quota(files) == 2)
  }

  @Test func aContainerSeesItsGroupAtTheMountPoint() throws {
    // Without a namespace of control groups, paths are those of the host.
    #expect(
      try quota([
        "proc/self/cgroup": "4:cpu:/docker/1\n0::/docker/1\n",
        "proc/self/mountinfo":
          "31 25 0:28 /docker/1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ]) == 1)
    #expect(
      try quota([
        "proc/self/cgroup": "0::/../..\n", "proc/self/mountinfo": Self.version2,
        "sys/fs/cgroup/cpu.max": "400000 100000\n",
      ]) == 4)
    #expect(
      try quota([
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo":
          #"29 23 0:26 / /mnt/control\040groups rw - cgroup2 cgroup2 rw"# + "\n",
        "mnt/control groups/cpu.max": "600000 200000\n",
      ]) == 3)
  }

  @Test func bothVersionsMayBeMounted() throws {
    #expect(
      try quota([
        "proc/self/cgroup": "4:cpu:/a\n0::/b\n",
        "proc/self/mountinfo": Self.version2.replacingOccurrences(
          of: "cgroup rw", with: "unified rw")
          + "31 25 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
        "sys/fs/unified/b/cpu.max": "500000 100000\n",
        "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "600000\n",
        "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
      ]) == 5)
  }

  @Test func withoutProcTheUsualPlacesCount() throws {
    #expect(try quota(["sys/fs/cgroup/cpu.max": "200000 100000\n"]) == 2)
    #expect(
      try quota([
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ]) == 3)
    #expect(try quota([:]) == nil)
    #expect(Processors.available >= 1)
  }
}
