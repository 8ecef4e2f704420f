import KernelChecks
import Testing
import VDSQInference
import VDSQKernels

/// Every kernel of every instruction set that this CPU has, against the scalar reference. Those of
/// others run in Tests/kernel-check.
@Suite struct KernelTests {
  static let tables = KernelTable.available()

  @Test func tablesHaveNames() {
    #expect(Set(Self.tables.map { "\($0.name)" }).count == Self.tables.count)
    #if arch(x86_64)
      #expect("\(Self.tables.last!.name)" == "baseline")
    #else
      #expect("\(Self.tables.last!.name)" == "neon")
    #endif
  }

  @Test(arguments: tables.indices, Checker.all.indices)
  func matchesTheReference(table: Int, check: Int) {
    let checker = Checker(Self.tables[table])
    Checker.all[check].run(checker)
    #expect(checker.count > 0)
    for failure in checker.failures.prefix(10) {
      Issue.record("\(checker.table.name): \(failure)")
    }
  }
}
