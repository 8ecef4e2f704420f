import CShims
package import VDSQFormat

/// One anonymous mapping that holds the regions of a layout. Pages take no memory until they are
/// touched.
package final class Arena: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  private let plan: ArenaLayout

  /// - Throws: `budgetTooSmall` if the system does not provide the memory.
  package init(_ plan: ArenaLayout) throws(VDSQError) {
    guard let base = vdsq_map_memory(Int64(plan.length)) else {
      throw VDSQError(
        .budgetTooSmall, "the system has no \(plan.length) bytes for the arena; use fewer tokens")
    }
    self.base = base
    self.plan = plan
  }

  /// The number of resident bytes; 0 if the system does not report it.
  var presentBytes: Int { max(0, Int(vdsq_present_bytes(base, Int64(plan.length)))) }

  deinit { vdsq_unmap(base, Int64(plan.length)) }

  func region<T>(_ index: Int, as type: T.Type, worker: Int = 0) -> UnsafeMutablePointer<T> {
    (base + plan.offset(index, worker: worker)).assumingMemoryBound(to: T.self)
  }
}
