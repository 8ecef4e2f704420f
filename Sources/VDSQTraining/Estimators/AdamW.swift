import Glibc

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
package struct AdamW {
  private var first: [Float]
  private var second: [Float]
  private var step = 0
  private let weightDecay: Float

  package init(count: Int, weightDecay: Float) {
    first = [Float](repeating: 0, count: count)
    second = first
    self.weightDecay = weightDecay
  }

  package mutating func update(_ values: inout [Float], _ gradient: [Float], rate: Float) {
    step += 1
    let firstScale = 1 / (1 - powf(0.9, Float(step)))
    let secondScale = 1 / (1 - powf(0.999, Float(step)))
    for i in values.indices {
      first[i] += 0.1 * (gradient[i] - first[i])
      second[i] += 0.001 * (gradient[i] * gradient[i] - second[i])
      let direction = first[i] * firstScale / ((second[i] * secondScale).squareRoot() + 1e-8)
      values[i] -= rate * (direction + weightDecay * values[i])
    }
  }
}
