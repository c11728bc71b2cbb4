import Foundation

/// Student's t distribution: how far off a mean of few and noisy values can be by chance.
enum StudentDistribution {
    /// The probability of a |t| at least this large.
    ///
    /// - Parameter freedom: degrees of freedom, more than 0.
    static func twoSided(_ t: Double, freedom: Double) -> Double {
        guard t.isFinite, freedom > 0 else { return t.isNaN ? 1 : 0 }
        return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
    }

    /// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun, 26.5.8).
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges quickly below this point; above it, the other tail does.
        guard x < (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
        let scale: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
        let power: Double = a * log(x) + b * log(1 - x)
        return exp(scale + power) / a * fraction(x, a, b)
    }

    /// Lentz's method.
    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var result = d
        for m in 1...300 {
            let k = Double(m)
            let place: Double = a + 2 * k
            let even: Double = k * (b - k) * x / ((place - 1) * place)
            let odd: Double = -(a + k) * (a + b + k) * x / (place * (place + 1))
            for term in [even, odd] {
                d = 1 / kept(1 + term * d)
                c = kept(1 + term / c)
                result *= d * c
            }
            if abs(d * c - 1) < 1e-12 { break }
        }
        return result
    }
}
