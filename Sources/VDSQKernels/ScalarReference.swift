import CShims

/// What each kernel computes, in the plainest code that can say it. Floats are summed in double
/// precision, so that a kernel's error is its own.
public enum ScalarReference {
  public static func quantizeRows(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ to: QuantizedRows
  ) {
    for row in 0..<rows {
      let source = UnsafeBufferPointer(start: x + row * stride, count: columns)
      let range = QuantizationRange(low: source.min()!, high: source.max()!)
      to.scales[row] = range.scale
      to.zeroPoints[row] = range.zeroPoint
      for i in 0..<columns {
        let q = (source[i] * (1 / range.scale)).rounded(.toNearestOrEven)
        to.values[row * to.stride + i] = UInt8(clamping: Int32(q) + range.zeroPoint)
      }
      for i in columns..<to.stride { to.values[row * to.stride + i] = 0 }
    }
  }

  /// The weight of output `n` and input `k`, before its scale.
  public static func weight(_ w: WeightPanels, _ n: Int, _ k: Int) -> Float {
    let panel = w.weights + n / 16 * w.panelStride
    switch w.element {
    case .int8:
      return Float(panel.load(fromByteOffset: k / 4 * 64 + n % 16 * 4 + k % 4, as: Int8.self))
    case .float16:
      let bits = (panel + k * 32 + n % 16 * 2).loadUnaligned(as: UInt16.self)
      return halfToFloat(bits)
    }
  }

  public static func gemmU8S8(
    _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>,
    _ activation: Activation, _ y: UnsafeMutablePointer<Float>, _ yStride: Int
  ) {
    for row in 0..<rows {
      for n in panels.lowerBound * 16..<min(panels.upperBound * 16, w.outputs) {
        var sum: Int32 = 0
        for k in 0..<w.inputs {
          let a = Int32(x.values[row * x.stride + k]) - x.zeroPoints[row]
          sum += a * Int32(weight(w, n, k))
        }
        let value =
          Double(sum) * Double(x.scales[row] * w.scales![n]) + Double(w.bias?[n] ?? 0)
        y[row * yStride + n] = Float(apply(activation, value))
      }
    }
  }

  public static func gemmFloat(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ activation: Activation, _ y: UnsafeMutablePointer<Float>,
    _ yStride: Int
  ) {
    for row in 0..<rows {
      for n in panels.lowerBound * 16..<min(panels.upperBound * 16, w.outputs) {
        var sum = 0.0
        for k in 0..<w.inputs { sum += Double(x[row * xStride + k]) * Double(weight(w, n, k)) }
        let value = sum * Double(w.scales?[n] ?? 1) + Double(w.bias?[n] ?? 0)
        y[row * yStride + n] = Float(apply(activation, value))
      }
    }
  }

  public static func apply(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(x, 0)
    case .gelu: x / 2 * (1 + vdsq_erf(x / 2.0.squareRoot()))
    case .geluTanh:
      x / 2 * (1 + vdsq_tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  public static func attention(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    var weights = [Double](repeating: 0, count: input.length)
    for i in 0..<input.length {
      for j in 0..<input.length {
        var dot = 0.0
        for c in 0..<input.headSize {
          dot +=
            Double(input.queries[i * input.stride + c]) * Double(input.keys[j * input.stride + c])
        }
        weights[j] = dot / Double(input.headSize).squareRoot()
      }
      let largest = weights.max()!
      var total = 0.0
      for j in 0..<input.length {
        weights[j] = vdsq_exp(weights[j] - largest)
        total += weights[j]
      }
      for c in 0..<input.headSize {
        var sum = 0.0
        for j in 0..<input.length { sum += weights[j] * Double(input.values[j * input.stride + c]) }
        output[i * outputStride + c] = Float(sum / total)
      }
    }
  }

  public static func addLayerNorm(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ gain: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>, _ epsilon: Float, _ rows: Int, _ columns: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      func value(_ i: Int) -> Double {
        Double(x[row * columns + i]) + Double(residual?[row * columns + i] ?? 0)
      }
      let mean = (0..<columns).reduce(0) { $0 + value($1) } / Double(columns)
      let variance =
        (0..<columns).reduce(0) { $0 + (value($1) - mean) * (value($1) - mean) } / Double(columns)
      let scale = 1 / (variance + Double(epsilon)).squareRoot()
      let normalized = (0..<columns).map { (value($0) - mean) * scale }
      for i in 0..<columns {
        y[row * columns + i] = Float(normalized[i] * Double(gain[i]) + Double(bias[i]))
      }
    }
  }

  public static func dotRows(
    _ x: UnsafePointer<Float>, _ m: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      out[row] = Float(
        (0..<columns).reduce(0) { $0 + Double(x[$1]) * Double(m[row * columns + $1]) })
    }
  }
}

/// An IEEE half-precision number's value, subnormals, infinities and NaNs included.
@_alwaysEmitIntoClient @inline(__always)
public func halfToFloat(_ bits: UInt16) -> Float {
  let sign: Float = bits & 0x8000 == 0 ? 1 : -1
  let exponent = Int(bits >> 10) & 31
  let fraction = Float(bits & 0x3FF)
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default:
    let power = Float(bitPattern: UInt32(exponent - 15 + 127) << 23)
    return sign * (1 + fraction * 0x1p-10) * power
  }
}
