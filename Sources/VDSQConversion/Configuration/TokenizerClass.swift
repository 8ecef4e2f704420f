/// A class of transformers' tokenizers that builds its parts anew instead of taking those of
/// `tokenizer.json`. Others take the file as it is.
enum TokenizerClass: Sendable {
  case bert, mpnet, debertaV2, roberta, gpt2, gptNeoX, qwen2, llama, codeLlama, xlmRoberta,
    camembert

  /// - Parameter name: the name in `tokenizer_class`, without `Fast`.
  /// - Returns: nil for other classes.
  init?(name: String) {
    guard let row = Self.rows.first(where: { $0.names.contains(name) }) else { return nil }
    self = row.kind
  }

  private static let rows: [(names: [String], kind: TokenizerClass)] = [
    (
      [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "ConvBertTokenizer",
        "MobileBertTokenizer", "SqueezeBertTokenizer",
      ], .bert
    ),
    (["MPNetTokenizer"], .mpnet), (["RobertaTokenizer", "BartTokenizer"], .roberta),
    (["GPT2Tokenizer"], .gpt2),
    (["GPTNeoXTokenizer"], .gptNeoX), (["Qwen2Tokenizer"], .qwen2), (["LlamaTokenizer"], .llama),
    (["CodeLlamaTokenizer"], .codeLlama), (["XLMRobertaTokenizer"], .xlmRoberta),
    (["CamembertTokenizer"], .camembert), (["DebertaV2Tokenizer"], .debertaV2),
  ]

  /// The type of the model that the class builds.
  var model: String {
    switch self {
    case .bert, .mpnet: "WordPiece"
    case .xlmRoberta, .camembert, .debertaV2: "Unigram"
    case .roberta, .gpt2, .gptNeoX, .qwen2, .llama, .codeLlama: "BPE"
    }
  }

  /// The special tokens that the class has unless a setting names others, in the order in which
  /// they are added.
  var specialTokens: [(key: String, token: String)] {
    switch self {
    case .bert:
      [
        ("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
        ("cls_token", "[CLS]"), ("mask_token", "[MASK]"),
      ]
    case .debertaV2:
      [
        ("bos_token", "[CLS]"), ("eos_token", "[SEP]"), ("unk_token", "[UNK]"),
        ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("cls_token", "[CLS]"),
        ("mask_token", "[MASK]"),
      ]
    case .mpnet:
      [
        ("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "[UNK]"),
        ("sep_token", "</s>"), ("pad_token", "<pad>"), ("cls_token", "<s>"),
        ("mask_token", "<mask>"),
      ]
    case .roberta, .xlmRoberta, .camembert:
      [
        ("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"),
        ("sep_token", "</s>"), ("pad_token", "<pad>"), ("cls_token", "<s>"),
        ("mask_token", "<mask>"),
      ]
    case .gpt2, .qwen2: [("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")]
    case .gptNeoX: [("eos_token", "<|endoftext|>"), ("pad_token", "<|padding|>")]
    case .llama: [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")]
    case .codeLlama:
      [
        ("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"),
        ("prefix_token", "▁<PRE>"), ("middle_token", "▁<MID>"), ("suffix_token", "▁<SUF>"),
        ("eot_token", "▁<EOT>"), ("fill_token", "<FILL_ME>"),
      ]
    }
  }
}
