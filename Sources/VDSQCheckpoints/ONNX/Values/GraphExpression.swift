/// What an encoder computes from weights. Numbers are those of other expressions.
indirect enum GraphExpression {
  /// Rows of a table for each token, `[texts, tokens, columns]`.
  case embedding(GraphWeight, EmbeddingRow)
  /// Terms that are added.
  case sum([Int])
  /// The mean of each row, `[..., 1]`.
  case mean(Int)
  /// A state minus its mean.
  case centered(Int)
  /// The variance of each row, `[..., 1]`.
  case variance(Int)
  /// A layer norm without its gain, without its bias, and whole.
  case normalized(Int, epsilon: Double)
  case gained(Int, epsilon: Double, gain: GraphWeight)
  case norm(Int, epsilon: Double, gain: GraphWeight, bias: GraphWeight)
  /// The product of rows with a matrix, `[..., outputs]`, and with a bias added.
  case product(Rows, GraphWeight)
  case linear(Rows, GraphWeight, bias: GraphWeight)
  /// Products of queries and keys, `[texts, heads, tokens, tokens]`.
  case scores(Heads, Heads, factor: Double)
  /// Scores without those of padding.
  case masked(Heads, Heads, factor: Double)
  case probabilities(Heads, Heads, factor: Double)
  /// Means of values, `[texts, heads, tokens, head size]`.
  case context(Heads, Heads, Heads, factor: Double)
  /// States without those of padding, and their sum over tokens.
  case kept(Int)
  case tokenSum(Int)
  /// The vector of a text, `[texts, columns]`.
  case pooled(Int, pooling: String)
  /// The length of each row, or its square, `[..., 1]`; rows of length 1.
  case squaredLength(Int)
  case length(Int)
  case unit(Int)
}

/// Which row of a table a token has.
enum EmbeddingRow: Equatable {
  case word
  /// The token type of the input, or the first one always.
  case type
  case firstType
  /// The token's position; the first token has this one.
  case position(first: Int)
}

/// Rows that a linear layer reads.
struct Rows {
  /// The number of the expression.
  let expression: Int
  /// The function of each element; nil for none.
  let function: SampledFunction?
  /// Whether there is a row for each text rather than for each token.
  var ofTexts = false
}

/// Columns of a linear layer's outputs, divided into heads.
struct Heads {
  /// The number of the linear layer's expression.
  let linear: Int
  /// The outputs that are used.
  let columns: Range<Int>
  let count: Int

  var size: Int { columns.count / count }
}
