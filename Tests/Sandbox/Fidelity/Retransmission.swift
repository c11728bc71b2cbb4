import Glibc

@testable import Sandbox

/// When this kernel sends a packet of TCP again, and what that makes of a loss: the share of connections and requests
/// that are done after a time. In one direction only: what comes back is not lost.
struct Retransmission: Sendable, Equatable {
    /// Milliseconds from the first packet of a connection to each of its repetitions, 0 for itself.
    let connectMs: [Double]
    /// The same for a request on a connection that stands.
    let requestMs: [Double]

    /// Later ones are of no interest.
    private static let horizonMs = 10_000.0
    private static let maximumBackoff = 6

    /// - Parameters:
    ///   - linearTimeouts: `tcp_syn_linear_timeouts`, from Linux 6.5 on: so many repetitions come a second apart before
    ///     the wait doubles (`net/ipv4/tcp_timer.c`, `tcp_retransmit_timer`); 0 before.
    ///   - probesTail: `tcp_early_retrans` 3 or 4: the last packet is sent once more after the first timeout, and only
    ///     then do timeouts count and double (`net/ipv4/tcp_output.c`, `tcp_schedule_loss_probe`).
    ///   - minimumMs: `tcp_rto_min_us`: on a path without delay the timeout is this.
    ///   - tickMs: timeouts end with a tick of the kernel's clock, and one is added for the round trip.
    init(linearTimeouts: Int, probesTail: Bool, minimumMs: Double, tickMs: Double) {
        var connect = [0.0]
        for count in 0...(linearTimeouts + Self.maximumBackoff) {
            connect.append(connect[count] + 1000 * Self.power(max(0, count - linearTimeouts)))
        }
        let timeout = minimumMs + tickMs
        var request = probesTail ? [0, timeout] : [0]
        for count in 0...Self.maximumBackoff {
            request.append(request[request.count - 1] + timeout * Self.power(count))
        }
        connectMs = connect.filter { $0 <= Self.horizonMs }
        requestMs = request.filter { $0 <= Self.horizonMs }
    }

    /// Of this kernel, as its switches say.
    static func ofThisKernel() -> Retransmission {
        func setting(_ name: String) -> Int? {
            SystemFile.line("/proc/sys/net/ipv4/\(name)").flatMap { Int($0) }
        }
        return Retransmission(
            linearTimeouts: setting("tcp_syn_linear_timeouts") ?? 0,
            probesTail: (3...4).contains(setting("tcp_early_retrans") ?? 3),
            minimumMs: Double(setting("tcp_rto_min_us") ?? 200_000) / 1000, tickMs: 1000 / Double(ticksPerSecond))
    }

    /// Most kernels are built with this; a slower clock makes each timeout a few milliseconds longer.
    private static let ticksPerSecond = 250

    private static func power(_ exponent: Int) -> Double { Double(1 << exponent) }

    /// The share of connections that stand at a time.
    func connected(loss: Double, byMs time: Double) -> Double {
        1 - pow(loss, Double(connectMs.count { $0 <= time }))
    }

    /// The share of requests that are answered at a time, on connections that stand.
    func answered(loss: Double, byMs time: Double) -> Double {
        1 - pow(loss, Double(requestMs.count { $0 <= time }))
    }

    /// The same, where each makes its own connection first: the request itself carries what the server waits for.
    func answeredFresh(loss: Double, byMs time: Double) -> Double {
        connectMs.enumerated().reduce(0) { sum, step in
            let (count, begin) = step
            return sum + pow(loss, Double(count)) * (1 - loss) * answered(loss: loss, byMs: time - begin)
        }
    }
}
