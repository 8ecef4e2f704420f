import Glibc

/// A number with a fixed number of decimals.
package func fixed(_ number: Double, _ decimals: Int) -> String {
  guard number.isFinite, number.magnitude < 0x1p52 else { return "\(number)" }
  let unit = pow(10, Double(decimals))
  let scaled = (number.magnitude * unit).rounded()
  let whole = Int(scaled / unit)
  let sign = number < 0 && scaled > 0 ? "-" : ""
  guard decimals > 0 else { return "\(sign)\(whole)" }
  let fraction = String(Int(scaled - Double(whole) * unit))
  return "\(sign)\(whole).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
}

/// A number with a few significant digits, for tables.
package func significant(_ number: Double) -> String {
  guard number.isFinite else { return "\(number)" }
  if number.magnitude < 1e-30 { return "0" }
  let exponent = Int(log10(number.magnitude).rounded(.down))
  return fixed(number, max(0, 2 - exponent))
}

/// A number of bytes in mebibytes, with one decimal and the unit.
package func mebibytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1_048_576, 1) + " MiB" }

/// Text with spaces behind it, to a width in characters.
package func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// Text with spaces before it, to a width in characters.
package func rightAligned(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// A difference with its sign and four decimals.
package func signed(_ number: Double) -> String {
  let text = fixed(number, 4)
  return text.hasPrefix("-") ? text : "+\(text)"
}

/// The name of a layer, 0 for the embeddings.
func layerName(_ layer: Int) -> String { layer == 0 ? "embeddings" : "layer \(layer)" }
