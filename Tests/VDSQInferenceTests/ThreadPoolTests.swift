import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

import VDSQInference

@Suite struct ThreadPoolTests {
  private final class Sum: SharedWork {
    var parts: [Int]
    init(_ count: Int) { parts = [Int](repeating: 0, count: count) }

    override func run(_ worker: ThreadPool.Worker) {
      parts[worker.index] = worker.share(of: 100).reduce(0, +)
      worker.barrier()
    }
  }

  /// A pool ends with its last reference, however its threads sleep.
  @Test func poolsEnd() {
    weak var left: ThreadPool?
    do {
      let pool = ThreadPool(count: 3)
      let sum = Sum(3)
      for _ in 0..<3 { pool.together(3, sum) }
      #expect(sum.parts.reduce(0, +) == 99 * 50)
      left = pool
    }
    #expect(left == nil)
  }

  /// So does all that an encoder opened, whatever it does with layers.
  @Test(arguments: MemoryPolicy.all) func encodersEnd(_ policy: MemoryPolicy) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.vdsq")
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    weak var left: Container?
    do {
      var options = TextEncoder.Options()
      (options.threads, options.policy, options.tokenCapacity) = (3, policy, 400)
      let encoder = try TextEncoder(path: path, options: options)
      for _ in 0..<8 {
        let text = String(repeating: "hello world ", count: 20)
        _ = Array(text.utf8).withUnsafeBytes { encoder.add($0) }
      }
      try encoder.encode { _, _ in }
      left = encoder.container
    }
    #expect(left == nil, "\(policy.name)")
  }
}
