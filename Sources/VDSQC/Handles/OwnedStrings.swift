import Glibc

/// NUL-terminated copies of strings, for callers who may read them while their owner lives.
final class OwnedStrings: @unchecked Sendable {
  /// The strings, in order.
  let pointers: [UnsafePointer<CChar>]

  init(_ strings: [String]) { pointers = strings.map { UnsafePointer(strdup($0)) } }

  deinit { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
}
