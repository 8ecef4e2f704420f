import CShims
import VDSQFormat

/// Reads the weights of layers into two buffers on a separate thread. While workers use one layer,
/// the next is read; behind the last layer comes the first layer of the next pass.
final class LayerStream: @unchecked Sendable {
  private let container: Container
  private let sections: [Int]
  /// Whether layers that follow each other have the same weights, which are read once then.
  private let sharesSections: Bool
  private let buffers: [UnsafeMutableRawPointer]
  private let bufferLength: Int
  private let monitor = UnsafeMutablePointer<vdsq_monitor>.allocate(capacity: 1)
  private var thread: UInt?
  // Used by the loading thread: the reader, or a worker under the lock.
  private var scratch: [UInt8] = []
  /// The section in each buffer; -1 for none.
  private var held = [-1, -1]
  /// Layers are counted across passes.
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
    sharesSections = zip(sections, sections.dropFirst()).contains { $0 == $1 }
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

  /// Loads a layer into the buffer where it will always be, while the model is opened.
  func open(_ layer: Int) throws(VDSQError) {
    try container.load(section: sections[layer], into: buffers[layer % 2], scratch: &scratch)
    container.place(section: sections[layer], at: buffers[layer % 2])
  }

  func beginPass() {
    if !isFirstPass { passStart += sections.count }
    isFirstPass = false
    guard thread == nil else { return }
    var handle: UInt = 0
    // The stream outlives its thread, because deinit joins it. It holds no reference to it.
    let this = Unmanaged.passUnretained(self).toOpaque()
    let ok = vdsq_start_thread(
      &handle,
      { pointer in
        Unmanaged<LayerStream>.fromOpaque(pointer!)._withUnsafeGuaranteedRef { $0.read() }
        return nil
      }, this)
    if ok { thread = handle }
  }

  /// Waits until a layer of the pass is in its buffer.
  func wait(for layer: Int) {
    guard thread != nil else { return loadAlone(layer) }
    vdsq_lock(monitor)
    while loaded <= passStart + layer { vdsq_wait_until_done(monitor) }
    vdsq_unlock(monitor)
  }

  /// Releases the buffer of a layer.
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

  /// If the system cannot create a thread, the first worker to arrive reads.
  private func loadAlone(_ layer: Int) {
    vdsq_lock(monitor)
    if loaded == passStart + layer {
      if !load(layer) { failed = true }
      loaded += 1
    }
    vdsq_unlock(monitor)
  }

  private func load(_ layer: Int) -> Bool {
    let section = sections[layer]
    guard !sharesSections || held[layer % 2] != section else { return true }
    held[layer % 2] = -1
    do throws(VDSQError) {
      try container.load(
        section: section, into: buffers[layer % 2], scratch: &scratch)
      held[layer % 2] = section
      return true
    } catch {
      return false
    }
  }

  /// The main function of the reading thread.
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
