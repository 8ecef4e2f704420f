import CShims
package import VDSQFormat
package import VDSQKernels

extension KernelTable {
  /// Every table that this CPU can run, best first.
  package static func available() -> [KernelTable] {
    var tables: [KernelTable] = []
    #if arch(x86_64)
      if vdsq_cpu_has_avx512_vnni() { tables.append(table(vdsq_kernels_avx512)) }
      if vdsq_cpu_has_avx2() { tables.append(table(vdsq_kernels_avx2)) }
    #elseif arch(arm64)
      if vdsq_cpu_has_i8mm() { tables.append(table(vdsq_kernels_i8mm)) }
      if vdsq_cpu_has_dotprod() { tables.append(table(vdsq_kernels_dotprod)) }
    #endif
    tables.append(table(vdsq_kernels_baseline))
    return tables
  }

  /// The table of a per-ISA target.
  private static func table(_ fill: (UnsafeMutableRawPointer) -> Void) -> KernelTable {
    let memory = UnsafeMutablePointer<KernelTable>.allocate(capacity: 1)
    defer { memory.deallocate() }
    fill(UnsafeMutableRawPointer(memory))
    return memory.move()
  }

  /// The best table, or the one that the environment variable `VDSQ_ISA` names.
  ///
  /// - Throws: `usage` if `VDSQ_ISA` does not name an instruction set of this CPU.
  package static func select() throws(VDSQError) -> KernelTable {
    let tables = available()
    guard let forced = vdsq_environment("VDSQ_ISA") else { return tables[0] }
    let wanted = String(cString: forced)
    for table in tables where table.isNamed(wanted) { return table }
    var names = ""
    for table in tables { names += " \(table.name)" }
    throw .usage("VDSQ_ISA=\(wanted): this CPU has:\(names)")
  }

  private func isNamed(_ wanted: String) -> Bool {
    name.withUTF8Buffer { $0.elementsEqual(wanted.utf8) }
  }
}
