/// The sizes at the start of a file of llama2.c.
public struct Llama2CHeader: Sendable {
  /// `export.py`'s version: 0 without a magic number, 1 float32, 2 int8 in groups.
  public internal(set) var version = 0
  /// Numbers in a token's state; llama2.c's `dim`.
  public internal(set) var dim = 0
  /// Numbers in a state within the feed-forward network; `hidden_dim`.
  public internal(set) var hidden = 0
  /// Layers; `n_layers`.
  public internal(set) var layers = 0
  /// Heads of queries; `n_heads`.
  public internal(set) var heads = 0
  /// Heads of keys and values; `n_kv_heads`.
  public internal(set) var keyValueHeads = 0
  /// Tokens of the vocabulary; `vocab_size`.
  public internal(set) var vocabulary = 0
  /// Tokens of the longest sequence; `seq_len`.
  public internal(set) var positions = 0
  /// Whether the classifier and the embeddings are one table.
  public internal(set) var isShared = true
  /// Columns of a group of int8 weights; 0 in other versions.
  public internal(set) var group = 0

  /// Numbers in a head.
  public var headSize: Int { dim / heads }
}
