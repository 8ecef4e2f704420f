#if arch(arm64)
  public import CShims
  public import VDSQKernels

  /// NEON with the dot product extension (ARMv8.2): `sdot`.
  enum DotProd: NEONRegisters {
    @inline(__always)
    static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_sdot(sums, a, b) }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_dotprod")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "dotprod", isa: DotProd.self))
  }
#endif
