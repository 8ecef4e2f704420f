import CShims

/// The definition of each kernel, in the simplest code. Floats are summed in double precision, so
/// that differences are errors of the kernel.
public enum ScalarReference {
  /// The value of an activation function in double precision.
  public static func apply(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: x < 0 ? 0 : x
    case .gelu: x / 2 * (1 + vdsq_erf(x / 2.0.squareRoot()))
    case .geluTanh:
      x / 2 * (1 + vdsq_tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + vdsq_exp(-x))
    }
  }

  /// `softmax(scale * x)` of each row, in place. Rows are `stride` floats apart.
  public static func softmax(
    _ x: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ scale: Float
  ) {
    for row in 0..<rows {
      let values = x + row * stride
      var largest = -Double.infinity
      for i in 0..<columns { largest = max(largest, Double(values[i]) * Double(scale)) }
      var total = 0.0
      for i in 0..<columns { total += vdsq_exp(Double(values[i]) * Double(scale) - largest) }
      for i in 0..<columns {
        values[i] = Float(vdsq_exp(Double(values[i]) * Double(scale) - largest) / total)
      }
    }
  }

  /// The largest value x_m, and the sum of `e^(scale (x - x_m))`.
  public static func exponentialSum(_ x: [Float], _ scale: Float) -> (largest: Float, sum: Float) {
    var largest = -Float.infinity
    for value in x { largest = max(largest, value) }
    var sum = 0.0
    for value in x { sum += vdsq_exp((Double(value) - Double(largest)) * Double(scale)) }
    return (largest, Float(sum))
  }

  /// `softmax(Q K^T / divisor + bias) V`, over the keys that each query sees. Scores are rounded to
  /// float32, as in the kernel.
  public static func attention(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    for i in input.rows {
      let query = input.queries + i * input.stride
      let seen = (0..<input.length).filter { abs($0 - i) <= input.window }
      var weights = seen.map { j in
        let score = dot(query, input.keys + j * input.stride, input.headSize) / input.divisor
        return score + (input.bias.map { $0.origin[i * $0.rowStride + j] } ?? 0)
      }
      weights.withUnsafeMutableBufferPointer {
        softmax($0.baseAddress!, seen.count, 1, seen.count, 1)
      }
      for c in 0..<input.headSize {
        var sum = 0.0
        for (weight, j) in zip(weights, seen) {
          sum += Double(weight) * Double(input.values[j * input.stride + c])
        }
        output[i * outputStride + c] = Float(sum)
      }
    }
  }

  /// `softmax(scale Q K^T) V` for the heads that share one key head. Each query sees its own
  /// position and those before it, within the window.
  public static func causalAttention(
    _ input: CausalAttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    for i in 0..<input.count {
      let position = input.position + i
      let first = max(0, input.window > position ? 0 : position - input.window + 1)
      let count = position - first + 1
      for head in 0..<input.group {
        let query = input.queries + i * input.queryStride + head * input.headSize
        var weights = [Float](repeating: 0, count: count)
        for j in 0..<count {
          var score =
            input.scale * dot(query, input.keys + (first + j) * input.stride, input.headSize)
          if input.cap > 0 { score = input.cap * vdsq_tanhf(score / input.cap) }
          weights[j] = score + (input.slopes?[head] ?? 0) * Float(j - count + 1)
        }
        weights.withUnsafeMutableBufferPointer {
          softmax($0.baseAddress!, count, 1, count, 1)
        }
        for c in 0..<input.headSize {
          var sum = 0.0
          for j in 0..<count {
            sum += Double(weights[j]) * Double(input.values[(first + j) * input.stride + c])
          }
          output[i * outputStride + head * input.headSize + c] = Float(sum)
        }
      }
    }
  }

  /// LayerNorm if rows are centred, otherwise RMSNorm.
  public static func addNorm(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ norm: Normalization,
    centred: Bool, _ rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      var values = [Double](repeating: 0, count: columns)
      for i in 0..<columns {
        values[i] = Double(x[row * columns + i]) + Double(residual?[row * columns + i] ?? 0)
      }
      if centred {
        let mean = values.reduce(0, +) / Double(columns)
        for i in 0..<columns { values[i] -= mean }
      }
      let square = values.reduce(0) { $0 + $1 * $1 } / Double(columns)
      let scale = 1 / (square + Double(norm.epsilon)).squareRoot()
      for i in 0..<columns {
        let bias = Double(norm.bias?[i] ?? 0)
        y[row * columns + i] = Float(values[i] * scale * Double(norm.gain[i]) + bias)
      }
    }
  }

  /// Rotary position embedding of one head of `size` floats, in place, with `size / 2` angles.
  public static func rotate(
    _ x: UnsafeMutablePointer<Float>, _ size: Int, _ cosines: UnsafePointer<Float>,
    _ sines: UnsafePointer<Float>, _ pairs: RotaryPairs
  ) {
    for i in 0..<size / 2 {
      let (j, k) = pairs == .halves ? (i, i + size / 2) : (2 * i, 2 * i + 1)
      let a = Double(x[j]), b = Double(x[k])
      x[j] = Float(a * Double(cosines[i]) - b * Double(sines[i]))
      x[k] = Float(a * Double(sines[i]) + b * Double(cosines[i]))
    }
  }

  /// `gate = activation(gate) * up`, in place, as in gated feed-forward layers.
  public static func gate(
    _ gate: UnsafeMutablePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int,
    _ activation: Activation
  ) {
    for i in 0..<count { gate[i] = Float(apply(activation, Double(gate[i])) * Double(up[i])) }
  }

  /// The inner product of two vectors, summed in double precision.
  public static func dot(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int
  ) -> Float {
    var sum = 0.0
    for i in 0..<count { sum += Double(x[i]) * Double(y[i]) }
    return Float(sum)
  }
}

/// The value of an IEEE half-precision number, including subnormals, infinities and NaNs.
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
