import CShims
import KernelChecks
import VDSQInference
import VDSQKernels

// Runs the kernel checks without a test framework: in Embedded mode, under an emulator, for
// instruction sets that this machine does not have. Prints one line per table and fails if any
// check fails.

/// Whether every check of a table holds.
func run(_ table: KernelTable) -> Bool {
  let checker = Checker(table)
  for check in Checker.all { check.run(checker) }
  for failure in checker.failures.prefix(20) { print("\(table.name): \(failure)") }
  print("\(table.name): \(checker.count) checks, \(checker.failures.count) failed")
  return checker.failures.isEmpty && checker.count > 0
}

exit(KernelTable.available().map(run).contains(false) ? 1 : 0)
