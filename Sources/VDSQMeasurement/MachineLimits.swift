import CShims
import VDSQInference
public import VDSQKernels

/// What the machine can do at most with an instruction set, measured: a kernel's time is compared with
/// the larger of what its multiplications and its memory would take at these speeds.
public final class MachineLimits {
  private let kernels: KernelTable
  private let threads: ThreadPool
  private var bandwidths: [Int: Double] = [:]
  /// Multiply-adds a second on one thread.
  public let int8Products: Double
  public let floatProducts: Double

  /// Seconds for each measurement.
  static let patience = 0.15

  public init(kernels: KernelTable, threads: ThreadPool) {
    self.kernels = kernels
    self.threads = threads
    int8Products = Self.products(kernels.probes.int8Products)
    floatProducts = Self.products(kernels.probes.floatProducts)
  }

  private static func products(
    _ probe: (UnsafeRawPointer, Int) -> Int
  ) -> Double {
    let operands = AlignedBytes(256)
    operands.fill()
    var count = 0
    let seconds = Timing.median(seconds: patience) { count = probe(operands.pointer, 100_000) }
    return Double(count) / seconds
  }

  /// Bytes a second when `bytes` are read over and over by `width` threads, each its own share: from
  /// memory where they are many, from a cache where they fit.
  public func bandwidth(bytes: Int, threads width: Int) -> Double {
    // Sizes within a quarter of each other share a measurement.
    var size = 4096
    while size * 5 / 4 < bytes { size = size * 5 / 4 }
    let key = size * 64 + width
    if let known = bandwidths[key] { return known }
    let buffer = AlignedBytes(size)
    buffer.fill()
    let read = kernels.probes.read
    let work = ParallelWork { worker in
      let share = worker.share(of: size, unit: 256)
      if read(buffer.pointer + share.lowerBound, share.count) == 77 { ParallelWork.sink += 1 }
    }
    let seconds = Timing.median(seconds: Self.patience) { self.threads.together(width, work) }
    let result = Double(size) / seconds
    bandwidths[key] = result
    return result
  }
}

/// A closure as work for a thread pool.
final class ParallelWork: SharedWork {
  /// Takes what must not be optimised away.
  nonisolated(unsafe) static var sink = 0
  private let body: (ThreadPool.Worker) -> Void

  init(_ body: @escaping (ThreadPool.Worker) -> Void) { self.body = body }

  override func run(_ worker: ThreadPool.Worker) { body(worker) }
}

/// Anonymous memory, aligned to pages, on large pages where the system has them.
final class AlignedBytes {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  init(_ count: Int) {
    self.count = count
    guard let p = vdsq_map_memory(Int64(count)) else { fatalError("no memory for \(count) bytes") }
    pointer = p
    vdsq_want_large_pages(p, Int64(count))
  }

  deinit { vdsq_unmap(pointer, Int64(count)) }

  /// Fills with bytes of a fixed sequence.
  func fill() {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    var i = 0
    while i < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let n = min(8, count - i)
      withUnsafeBytes(of: state) { (pointer + i).copyMemory(from: $0.baseAddress!, byteCount: n) }
      i += 8
    }
  }

  /// Fills with floats between -1 and 1.
  func fillFloats() {
    fill()
    let floats = pointer.assumingMemoryBound(to: Float.self)
    let bits = pointer.assumingMemoryBound(to: UInt32.self)
    for i in 0..<count / 4 { floats[i] = Float(bits[i] >> 8) / 8_388_608 - 1 }
  }
}
