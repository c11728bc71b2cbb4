import Foundation

/// What netem's correlation does to a loss: 80 % with correlation 50 drops 97 of 100 packets.
///
/// The kernel (`net/sched/sch_netem.c`, `get_crandom`) draws for every packet
///
///     x = (1 - rho) * uniform(0, 1) + rho * x_before        lost when x <= loss
///
/// Mixing two draws pulls x towards the middle, so its long-run distribution is no longer uniform, and the share of
/// packets with x below the loss is not the loss. That distribution solves
///
///     F(x) = integral over u in 0...1 of F((x - (1 - rho) u) / rho)
///          = rho / (1 - rho) * (G(x / rho) - G((x - (1 - rho)) / rho))        G = integral of F
///
/// which is iterated here on a grid until it stands still. No random numbers are involved.
public enum NetemCorrelation {
    private static let cells = 1024
    /// From here on x is the sum of so many draws that it is normal, to better than a thousandth, and the iteration
    /// slow.
    private static let normalFrom = 0.97

    /// The share of packets lost in the long run.
    ///
    /// - Parameters:
    ///   - loss: 0 to 1.
    ///   - correlation: 0 to 1. At 1 netem never draws again: all packets are lost or none, and `loss` is the chance.
    public static func longRunLoss(loss: Double, correlation: Double) -> Double {
        guard correlation > 0, correlation < 1, loss > 0, loss < 1 else { return min(max(loss, 0), 1) }
        if correlation >= normalFrom {
            let deviation = ((1 - correlation) / (1 + correlation) / 12).squareRoot()
            return erfc((0.5 - loss) / deviation / 2.0.squareRoot()) / 2
        }
        var distribution = Distribution(cells: cells)
        while distribution.step(correlation) > 1e-7 {}
        return distribution.value(at: loss)
    }

    /// A distribution function on 0...1, straight between its grid points.
    private struct Distribution {
        private var values: [Double]

        /// The uniform distribution.
        init(cells: Int) {
            values = (0...cells).map { Double($0) / Double(cells) }
        }

        private var width: Double { 1 / Double(values.count - 1) }

        func value(at x: Double) -> Double {
            let cell = min(Int(x / width), values.count - 2)
            return values[cell] + (values[cell + 1] - values[cell]) * (x / width - Double(cell))
        }

        /// One more packet; returns by how much the function moved.
        mutating func step(_ rho: Double) -> Double {
            var integrals = [0.0]
            integrals.reserveCapacity(values.count)
            for cell in 1..<values.count {
                integrals.append(integrals[cell - 1] + (values[cell - 1] + values[cell]) * width / 2)
            }
            let next = values.indices.map { index in
                let x = Double(index) * width
                return rho / (1 - rho)
                    * (integral(to: x / rho, integrals) - integral(to: (x - (1 - rho)) / rho, integrals))
            }
            let moved = zip(values, next).reduce(0) { max($0, abs($1.0 - $1.1)) }
            values = next
            return moved
        }

        /// The function is 0 below 0 and 1 above 1.
        private func integral(to y: Double, _ integrals: [Double]) -> Double {
            if y <= 0 { return 0 }
            if y >= 1 { return integrals[integrals.count - 1] + y - 1 }
            let cell = min(Int(y / width), values.count - 2)
            let into = y - Double(cell) * width
            return integrals[cell] + (values[cell] + value(at: y)) / 2 * into
        }
    }
}
