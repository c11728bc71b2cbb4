import Foundation
import HTTPTypes
import ServiceTesting
import Shared
import TestSupport
import Testing

@testable import PaymentService

extension WorkStep: Codable {}

/// A life of the payment service in a process of its own that ends with SIGKILL.
///
/// ```
///   test --(exit test: the same binary, started again)--> service + one client: pay, refund --at the moment--> kill -9
/// ```
struct KilledLife: Codable, Sendable {
    enum Moment: Codable, Sendable, Hashable {
        /// When the service gets there.
        case step(WorkStep)
        /// When its client has its answer.
        case acknowledged
        /// When a transaction is committed and what was put off is not: see ``FaultyDatabase``.
        case betweenTransactions
    }

    let moment: Moment
    var defect: Defect?
    var isGatewaySilent = false
    let folder: String
    let inventoryURL: String
    let notificationURL: String
    var order = Self.order
    var wantsRefund = false

    static let order = #"{"amount":"19.99","product_id":"1"}"#
    static let payKey = "paid before the kill"
    static let refundKey = "refunded before the kill"
    /// The client of this life gives up here, and the test fails: it was not killed.
    private static let longest = Duration.seconds(60)

    init(
        endingAt moment: Moment, _ settings: PaymentSettings, _ folder: URL, _ change: (inout Self) -> Void = { _ in }
    ) {
        self.moment = moment
        self.folder = folder.path
        inventoryURL = settings.inventoryURL
        notificationURL = settings.notificationURL
        change(&self)
    }

    /// What the client was told before the end; nil when it was told nothing.
    static func acknowledgement(in folder: URL) -> String? {
        try? String(contentsOf: folder.appendingPathComponent("acknowledged"), encoding: .utf8)
    }

    /// Returns when the process of this life was killed, and records an issue when it ended in any other way.
    ///
    /// One at a time: an exit test blocks a thread of the pool on which the neighbours answer.
    func run() async {
        await Self.turn.enter()
        await #expect(processExitsWith: .signal(SIGKILL)) { [life = self as KilledLife] in try await life.live() }
        await Self.turn.leave()
    }

    private static let turn = Turn()

    private func live() async throws {
        var settings = PaymentSettings()
        (settings.host, settings.port) = ("127.0.0.1", 0)
        (settings.inventoryURL, settings.notificationURL) = (inventoryURL, notificationURL)
        settings.workerPeriod = .milliseconds(20)
        let url = URL(fileURLWithPath: folder)
        let client = HTTPClient(configuration: .init())
        try await PaymentLab.withPayment(settings, url, client, LogLines(), sabotage) { baseURL in
            try await spend(TestClient(client, baseURL))
        }
    }

    private var sabotage: Sabotage {
        Sabotage(
            defect: defect, isGatewaySilent: isGatewaySilent,
            hook: StepHook { [moment] step in if moment == .step(step) { Self.die() } },
            between: { [moment] in if moment == .betweenTransactions { Self.die() } })
    }

    private func spend(_ client: TestClient) async throws {
        let paid = try await client.post("/payment/process", order, headers: [.idempotencyKey: Self.payKey])
        let id = paid["payment_id"]?.text ?? ""
        if moment == .acknowledged, paid.status == 200 {
            try id.write(toFile: "\(folder)/acknowledged", atomically: true, encoding: .utf8)
            Self.die()
        }
        if wantsRefund {
            let wish = #"{"payment_id":"\#(id)","amount":"5.00"}"#
            _ = try await client.post("/payment/refund", wish, headers: [.idempotencyKey: Self.refundKey])
        }
        // The workers may still come to the moment.
        try await Task.sleep(for: Self.longest)
    }

    private static func die() { kill(getpid(), SIGKILL) }
}
