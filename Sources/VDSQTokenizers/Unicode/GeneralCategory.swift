/// The general categories of the Unicode standard (section 4.5), in the order of the tables.
package enum GeneralCategory: UInt8, CaseIterable, Sendable {
  /// Letters (upper case, lower case, title case, modifier, other), marks (nonspacing, spacing,
  /// enclosing), numbers (decimal, letter, other), punctuation (connector, dash, open, close,
  /// initial quote, final quote, other), symbols (mathematical, currency, modifier, other).
  case lu, ll, lt, lm, lo, mn, mc, me, nd, nl, no, pc, pd, ps, pe, pi, pf, po, sm, sc, sk, so
  /// Separators (space, line, paragraph), then control, format, private use and unassigned scalars.
  case zs, zl, zp, cc, cf, co, cn

  /// A bit for a set of categories.
  package var bit: UInt32 { 1 << UInt32(rawValue) }
  /// Whether it is one of the marks.
  var isMark: Bool { self == .mn || self == .mc || self == .me }
}
