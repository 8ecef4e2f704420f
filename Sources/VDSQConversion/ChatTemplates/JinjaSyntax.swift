/// An expression of a Jinja template.
indirect enum JinjaExpression {
  case literal(JinjaValue)
  case name(String)
  case list([JinjaExpression])
  case dictionary([(JinjaExpression, JinjaExpression)])
  case member(JinjaExpression, String)
  case item(JinjaExpression, JinjaExpression)
  case slice(JinjaExpression, [JinjaExpression?])
  case call(JinjaExpression, [JinjaExpression], [(String, JinjaExpression)])
  case filter(JinjaExpression, String, [JinjaExpression], [(String, JinjaExpression)])
  case test(JinjaExpression, String, [JinjaExpression])
  case unary(String, JinjaExpression)
  case binary(String, JinjaExpression, JinjaExpression)
  case conditional(JinjaExpression, then: JinjaExpression, otherwise: JinjaExpression?)
}

/// A part of a Jinja template.
indirect enum JinjaNode {
  case text(String)
  case output(JinjaExpression)
  case branch([(condition: JinjaExpression?, body: [JinjaNode])])
  case loop(
    names: [String], in: JinjaExpression, where: JinjaExpression?, body: [JinjaNode],
    otherwise: [JinjaNode])
  case set(name: String, member: String?, JinjaExpression)
  case stop, skip
}
