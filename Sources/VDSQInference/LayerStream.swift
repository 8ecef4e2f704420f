import CShims
import VDSQFormat

/// Layers' weights, read into two buffers by a thread of their own: while workers go through one layer, the next is
/// read; the first of the next pass behind the last.
final class LayerStream: @unchecked Sendable {
  private let container: Container
  private let sections: [Int]
  private let buffers: [UnsafeMutableRawPointer]
  private let bufferLength: Int
  private let monitor = UnsafeMutablePointer<vdsq_monitor>.allocate(capacity: 1)
  private var thread: UInt?
  /// Of whoever loads: the reading thread, or workers under the lock.
  private var scratch: [UInt8] = []
  /// Layers are counted through all passes.
  private var passStart = 0
  private var isFirstPass = true
  // Guarded by the monitor.
  private var loaded = 0
  private var freed = 0
  private var lastOf = [-1, -1]
  private var stopped = false
  private var failed = false

  init(_ container: Container, sections: [Int]) throws(VDSQError) {
    self.container = container
    self.sections = sections
    var longest = 1
    for section in sections { longest = max(longest, container.sections[section].rawLength) }
    bufferLength = longest
    var buffers: [UnsafeMutableRawPointer] = []
    for _ in 0..<2 {
      guard let buffer = vdsq_map_memory(Int64(longest)) else {
        throw VDSQError(.budgetTooSmall, "the system has no \(longest) bytes for a layer")
      }
      buffers.append(buffer)
    }
    self.buffers = buffers
    vdsq_monitor_init(monitor)
  }

  deinit {
    if let thread {
      vdsq_lock(monitor)
      stopped = true
      vdsq_announce_work(monitor)
      vdsq_unlock(monitor)
      vdsq_join_thread(thread)
    }
    for buffer in buffers { vdsq_unmap(buffer, Int64(bufferLength)) }
    vdsq_monitor_destroy(monitor)
    monitor.deallocate()
  }

  /// Loads a layer where it will always be, for whoever opens the model.
  func open(_ layer: Int) throws(VDSQError) {
    try container.load(section: sections[layer], into: buffers[layer % 2], scratch: &scratch)
    container.place(section: sections[layer], at: buffers[layer % 2])
  }

  func beginPass() {
    if !isFirstPass { passStart += sections.count }
    isFirstPass = false
    guard thread == nil else { return }
    var handle: UInt = 0
    // The stream outlives its thread: deinit joins it.
    let this = Unmanaged.passUnretained(self).toOpaque()
    let ok = vdsq_start_thread(
      &handle,
      { pointer in
        Unmanaged<LayerStream>.fromOpaque(pointer!).takeUnretainedValue().read()
        return nil
      }, this)
    if ok { thread = handle }
  }

  /// Returns when a layer of the pass is in its buffer.
  func wait(for layer: Int) {
    guard thread != nil else { return loadAlone(layer) }
    vdsq_lock(monitor)
    while loaded <= passStart + layer { vdsq_wait_until_done(monitor) }
    vdsq_unlock(monitor)
  }

  /// Gives a layer's buffer back.
  func free(_ layer: Int) {
    vdsq_lock(monitor)
    freed = passStart + layer + 1
    vdsq_announce_work(monitor)
    vdsq_unlock(monitor)
  }

  var isUnreadable: Bool {
    vdsq_lock(monitor)
    defer { vdsq_unlock(monitor) }
    return failed
  }

  /// Where the system gives no thread, the first worker to come reads.
  private func loadAlone(_ layer: Int) {
    vdsq_lock(monitor)
    if loaded == passStart + layer {
      if !load(layer) { failed = true }
      loaded += 1
    }
    vdsq_unlock(monitor)
  }

  private func load(_ layer: Int) -> Bool {
    do throws(VDSQError) {
      try container.load(
        section: sections[layer], into: buffers[layer % 2], scratch: &scratch)
      return true
    } catch {
      return false
    }
  }

  /// The reading thread's life.
  private func read() {
    vdsq_lock(monitor)
    while true {
      let layer = loaded % sections.count
      while !stopped && freed <= lastOf[layer % 2] { vdsq_wait_for_work(monitor) }
      if stopped { break }
      vdsq_unlock(monitor)
      let isRead = load(layer)
      vdsq_lock(monitor)
      if !isRead { failed = true }
      lastOf[layer % 2] = loaded
      loaded += 1
      vdsq_announce_done(monitor)
    }
    vdsq_unlock(monitor)
  }
}
