import Glibc

func exponential(_ x: Double) -> Double { exp(x) }
func logarithmOf(_ x: Double) -> Double { log(x) }
