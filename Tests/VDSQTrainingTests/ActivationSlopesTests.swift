import Testing
import VDSQKernels

import VDSQTraining

@Suite struct ActivationSlopesTests {
  @Test(arguments: [Activation.identity, .relu, .gelu, .geluTanh, .silu])
  func slopesAreThoseOfTheFunction(_ activation: Activation) {
    // Past the ends of the kernels' polynomial, and no multiple of a vector's length.
    let inputs = (-331...331).map { Float($0) * 0.031 + 0.001 }
    var gradients = [Float](repeating: 3, count: inputs.count)
    activation.multiplyBySlopes(&gradients, inputs, inputs.count)
    for (x, slope) in zip(inputs, gradients) {
      let step = 1e-4
      let difference =
        (ScalarReference.apply(activation, Double(x) + step)
          - ScalarReference.apply(activation, Double(x) - step)) / (2 * step)
      #expect((Double(slope) / 3 - difference).magnitude < 2e-3, "\(x)")
    }
  }
}
