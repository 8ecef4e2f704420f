/// The architecture of a model: everything that determines the computations of a forward pass.
///
/// The converter makes it from a checkpoint's `config.json`. The container's metadata store it
/// (docs/format.md). The encoder, the decoder, their memory plans, training and benchmarks read it:
///
/// ```swift
/// let architecture = try Architecture(container.metadata)
/// print(architecture.family, architecture.layers, architecture.norm)
/// ```
///
/// The tensors of a container determine whether a linear layer has a bias, and whether the queries
/// and keys of each head are normalized.
package struct Architecture: Equatable, Sendable {
  /// Which tokens a token attends to.
  package enum Family: Equatable, Sendable {
    /// All tokens of the text, as in BERT.
    case bidirectionalEncoder
    /// Itself and the tokens before it, as in GPT.
    case causalDecoder
  }

  /// The place of the norms in a layer.
  package enum NormPlacement: Equatable, Sendable {
    /// Before attention and before the feed-forward network. One more norm follows the last layer.
    case pre
    /// After each residual addition.
    case post
    /// After attention and after the feed-forward network, before the residual addition. One more
    /// norm follows the last layer.
    case output
    /// Before and after attention, and before and after the feed-forward network, as in Gemma 3.
    /// One more norm follows the last layer.
    case around
  }

  /// The kind of norm.
  package enum Norm: Equatable, Sendable {
    /// Layer normalization with gain and perhaps bias (Ba et al. 2016).
    case layerNorm
    /// Root mean square normalization with gain (Zhang and Sennrich 2019).
    case rmsNorm
  }

  /// Which tokens a token attends to.
  package var family: Family
  /// Numbers in a token's state, 1 to 65,536.
  package var hiddenSize: Int
  /// Columns of the embedding tables, 1 to 65,536. If it differs from the hidden size, a linear
  /// layer follows the embeddings.
  package var embeddingSize: Int
  /// Transformer layers, 1 to 1,024; 0 for static embeddings.
  package var layers: Int
  /// Consecutive layers that share their weights, as all layers of ALBERT do; a divisor of
  /// `layers`, 1 if each has its own.
  package var layersPerGroup = 1
  /// Heads of queries, 1 to 4,096.
  package var heads: Int
  /// Heads of keys and values; each serves `heads / keyValueHeads` heads of queries.
  package var keyValueHeads: Int
  /// Numbers in a head, 1 to 65,536.
  package var headSize: Int
  /// Numbers in a state within the feed-forward network, 1 to 2^20.
  package var intermediateSize: Int
  /// Rows of the word embeddings, 1 to 2^24.
  package var vocabularySize: Int
  /// Rows of the token type embeddings, of which the first is used; 0 for none.
  package var tokenTypes: Int
  /// Tokens of the longest sequence, including those that the tokenizer adds. Longer texts are cut.
  package var maximumTokens: Int
  /// How positions are encoded.
  package var positions: PositionEncoding
  /// What the distance of two tokens adds to their scores.
  package var distanceBias = DistanceBias.none
  /// Whether positions are rotated in each layer, if they are rotary; empty for all layers.
  package var rotaryLayers: [Bool] = []
  /// Whether layers with local attention have rotary frequencies of their own, as in ModernBERT.
  package var hasLocalRotary = false
  /// The place of the norms in a layer.
  package var normPlacement: NormPlacement
  /// The kind of norm.
  package var norm: Norm
  /// The number that norms add to a variance before its square root.
  package var normEpsilon: Double
  /// The activation function of the feed-forward network.
  package var activation: ActivationFunction
  /// The factor of the word embeddings before the first layer, as in Gemma; 1 for none.
  package var embeddingScale = 1.0
  /// Whether a norm follows the embeddings of an encoder.
  package var hasEmbeddingNorm = true
  /// Whether attention of the first layer reads the states as they are, without the norm that the
  /// other layers have before attention.
  package var skipsFirstNorm = false
  /// What attention scores are divided by; nil for the square root of the head's size.
  package var attentionDivisor: Double?
  /// What attention scores s of a decoder are capped by: `cap tanh(s / cap)`, as in Gemma 2; nil for
  /// nothing.
  package var attentionCap: Double?
  /// The same for the logits of a decoder's LM head.
  package var logitCap: Double?
  /// Whether the feed-forward network is gated: activation(gate) times up (Shazeer 2020).
  package var isGated: Bool
  /// Whether attention and feed-forward network read the same states, as in GPT-NeoX.
  package var hasParallelResidual: Bool
  /// The layers with local attention; nil if all layers attend to everything.
  package var slidingWindow: SlidingWindow?
  /// How the states of the last layer become the vector of a text.
  package var pooling: Pooling
  /// Poolings whose vectors follow that of `pooling`, in the order of the vector of a text.
  package var morePoolings: [Pooling] = []
  /// The modules of a sentence encoder between pooling and vector, if they are more than a
  /// normalization. The tensors of module i are `modules.i.weight` and `modules.i.bias`.
  package var modules: [OutputModule] = []
  /// Whether the states of a prompt are pooled with those of the text behind it.
  package var includesPrompt = true
  /// Whether special tokens are added around a text.
  package var framesTexts = true
  /// A token that is left out of texts; nil for none.
  package var droppedToken: Int?
  /// Characters (Unicode scalars) of the longest text; longer texts are cut before they are split
  /// into tokens. Nil for any number.
  package var maximumCharacters: Int?
  /// Whether pooled vectors are scaled to length 1.
  package var normalize: Bool
  /// The activation function of a masked language model's head.
  package var headActivation: ActivationFunction

  /// An encoder with the layers of BERT: post-norm, LayerNorm, learned positions, full attention.
  /// The vector of a text is the mean of the last layer's states.
  ///
  /// - Parameters:
  ///   - positions: rows of the position embeddings, and tokens of the longest sequence.
  ///   - embeddingSize: nil for the hidden size.
  package init(
    encoder hiddenSize: Int, layers: Int, heads: Int, intermediateSize: Int, vocabularySize: Int,
    positions: Int, tokenTypes: Int, normEpsilon: Double, activation: ActivationFunction,
    embeddingSize: Int? = nil
  ) {
    family = .bidirectionalEncoder
    self.hiddenSize = hiddenSize
    self.embeddingSize = embeddingSize ?? hiddenSize
    self.layers = layers
    self.heads = heads
    keyValueHeads = heads
    headSize = hiddenSize / heads
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
    self.tokenTypes = tokenTypes
    maximumTokens = positions
    self.positions = .learned(rows: positions)
    normPlacement = .post
    norm = .layerNorm
    self.normEpsilon = normEpsilon
    self.activation = activation
    isGated = false
    hasParallelResidual = false
    slidingWindow = nil
    pooling = .mean
    normalize = false
    headActivation = activation
  }

  /// Static embeddings: an encoder without layers, whose states are the rows of the word
  /// embeddings. The vector of a text is their mean. Texts have no special tokens.
  package init(table columns: Int, vocabularySize: Int, maximumTokens: Int) {
    self.init(
      encoder: columns, layers: 0, heads: 1, intermediateSize: 1, vocabularySize: vocabularySize,
      positions: 0, tokenTypes: 0, normEpsilon: 1e-12, activation: .gelu)
    self.maximumTokens = maximumTokens
    positions = .none
    hasEmbeddingNorm = false
    framesTexts = false
  }

  /// A decoder with the layers of GPT: pre-norm, LayerNorm, as many heads of keys and values as of
  /// queries, no gate, full attention. It is a language model: the vector of a text is the state of
  /// its last token.
  package init(
    decoder hiddenSize: Int, layers: Int, heads: Int, headSize: Int, intermediateSize: Int,
    vocabularySize: Int, maximumTokens: Int, positions: PositionEncoding, normEpsilon: Double,
    activation: ActivationFunction
  ) {
    family = .causalDecoder
    self.hiddenSize = hiddenSize
    embeddingSize = hiddenSize
    self.layers = layers
    self.heads = heads
    keyValueHeads = heads
    self.headSize = headSize
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
    tokenTypes = 0
    self.maximumTokens = maximumTokens
    self.positions = positions
    normPlacement = .pre
    norm = .layerNorm
    self.normEpsilon = normEpsilon
    self.activation = activation
    isGated = false
    hasParallelResidual = false
    slidingWindow = nil
    pooling = .nextToken
    normalize = false
    headActivation = activation
  }

  /// Whether states are the rows of the word embeddings.
  package var isStatic: Bool { layers == 0 }

  /// Layers whose weights are stored.
  package var storedLayers: Int { layers / layersPerGroup }

  /// The stored layer whose weights a layer has.
  package func storedLayer(of layer: Int) -> Int { layer / layersPerGroup }

  /// Whether a norm precedes attention in a layer.
  package func hasAttentionNorm(layer: Int) -> Bool {
    normPlacement != .output && !(skipsFirstNorm && layer == 0)
  }

  /// Whether queries and keys of a layer are rotated, if positions are rotary.
  package func isRotated(layer: Int) -> Bool { rotaryLayers.isEmpty || rotaryLayers[layer] }

  /// Whether norms follow attention and the feed-forward network, before the residual addition.
  package var hasOutputNorms: Bool { normPlacement == .output || normPlacement == .around }

  /// Whether a norm follows the last layer.
  package var hasFinalNorm: Bool { normPlacement != .post }

  /// Numbers in all heads of queries.
  package var queryWidth: Int { heads * headSize }

  /// The size of a token's states after the embeddings and every layer, in bytes.
  package var bytesOfStates: Int { (layers + 1) * hiddenSize * 4 }

  /// Numbers in all heads of keys, or of values.
  package var keyValueWidth: Int { keyValueHeads * headSize }

  /// Numbers in the pooled vector of a text, before any modules. The head of a masked language
  /// model transforms states to the size of the embeddings.
  package var vectorSize: Int {
    pooling == .mask ? embeddingSize : hiddenSize * (1 + morePoolings.count)
  }

  /// Whether the model predicts tokens.
  package var hasLanguageModelHead: Bool { pooling == .mask || pooling == .nextToken }

  /// Weights of the linear layers of all layers: the multiply-adds per token, without attention.
  package var linearWeights: Int {
    let attention = hiddenSize * (2 * queryWidth + 2 * keyValueWidth)
    return layers * (attention + hiddenSize * (isGated ? 3 : 2) * intermediateSize)
  }

  /// The number of positions that a token of a layer attends to, including its own; `Int.max` for
  /// all. In an encoder, as many lie before it as behind it.
  package func window(layer: Int) -> Int {
    guard let slidingWindow, slidingWindow.isSliding(layer: layer) else { return .max }
    return slidingWindow.size
  }
}
