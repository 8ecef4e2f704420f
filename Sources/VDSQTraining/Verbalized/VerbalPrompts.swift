/// The prompts of verbalized learning, after those of Xiao et al. (arXiv 2406.04344, section 4).
enum VerbalPrompts {
  /// What precedes an answer of the learner.
  static let output = "Output: "
  /// What precedes an answer of the optimizer.
  static let descriptions = "New Pattern Descriptions: "

  /// The learner's prompt: predict the output of an input.
  ///
  /// The input comes last, so that prompts of one description share what is before.
  static func learner(
    _ input: String, description: String, target: VerbalTarget, explains: Bool
  ) -> String {
    let answer =
      switch target {
      case .classes(let names): "ONLY one of: \(names.joined(separator: ", "))"
      case .number(_, 0): "ONLY a whole number"
      case .number(_, let decimals): "ONLY a number with \(decimals) decimals"
      }
    let explanation = explains ? "Explanations: [your step-by-step analysis]\n" : ""
    return """
      You are the model. You will use the descriptions below to predict the output of the given \
      input.

      ** Pattern Descriptions: **
      \(description)

      Please give your output strictly in the following format:
      \(explanation)\(output)[\(answer)]

      ** Input: **
      \(input)
      """
  }

  /// The optimizer's prompt: improve the descriptions by a batch of the learner's outputs.
  static func optimizer(
    _ batch: [Examples.Example], outputs: [String], description: String
  ) -> String {
    let lines = zip(batch, outputs).map {
      "Input: \($0.text)\nModel output: \($1)\nTarget output: \($0.label)"
    }
    return """
      You are the optimizer for a model, your goal is to learn the best descriptions for the model. \
      The model used the current pattern descriptions below and produced the outputs for the given \
      inputs. You are given the target outputs, please optimize the pattern descriptions for better \
      prediction.

      ** Current Pattern Descriptions: **
      \(description)

      ** Inputs, the model outputs, and the target outputs: **
      \(lines.joined(separator: "\n\n"))

      If the model is doing well, you can keep using the current descriptions. However, if the model \
      is not performing well, please improve the descriptions so that the model's outputs become \
      the target outputs. Describe the pattern, not single inputs. Be specific and concise.

      Please give your output strictly in the following format:
      \(descriptions)[your new descriptions]
      """
  }
}
