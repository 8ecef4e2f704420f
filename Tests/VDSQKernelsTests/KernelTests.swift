import KernelChecks
import Testing
import VDSQInference
import VDSQKernels

/// Every kernel of every instruction set of this CPU, compared with the scalar reference.
/// Tests/kernel-check runs those of other instruction sets.
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
