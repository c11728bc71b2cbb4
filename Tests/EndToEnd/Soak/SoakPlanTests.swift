import Foundation
import Shared
import Testing

/// What the seed and the environment decide.
@Suite("Plan of a soak")
struct SoakPlanTests {
    @Test("The same seed makes the same orders, another one others")
    func seeds() {
        func orders(_ seed: UInt64) -> [String] { (0..<50).map { "\(SoakOrder(index: $0, seed: seed))" } }
        #expect(orders(7) == orders(7))
        #expect(Set(orders(7)).isDisjoint(with: orders(8)))
    }

    @Test("Some clients give up at once, some want all or a part of their money back, none more")
    func mixture() {
        let orders = (0..<1000).map { SoakOrder(index: $0, seed: 1) }
        let refunds = orders.compactMap { order in order.refund.map { (order.amount.minorUnits, $0.minorUnits) } }
        #expect((100...300).contains(orders.count { $0.tries == 1 }))
        #expect((50...150).contains(refunds.count) && refunds.allSatisfy { (1...$0.0).contains($0.1) })
        #expect(refunds.contains { $0.0 == $0.1 } && refunds.contains { $0.0 > $0.1 })
        #expect(Set(orders.map(\.productID)) == ["1", "2", "3", "4", "5"])
        #expect(Set(orders.map(\.key)).count == orders.count)
    }

    @Test("The environment chooses the form, and a wrong value is named")
    func environment() throws {
        #expect(try SoakPlan.from(environment: [:]).payments == 2000)
        let asked = try SoakPlan.from(environment: ["SOAK_PAYMENTS": "100000", "SOAK_SEED": "5"])
        #expect(asked.payments == 100_000 && asked.seed == 5 && asked.executables == LabProcess.executables)
        let folder = try SoakPlan.from(environment: ["SOAK_EXECUTABLES": ".build/release"]).executables
        #expect(folder.path == LabProcess.repository.appendingPathComponent(".build/release").path)
        #expect(throws: SettingsError(messages: ["SOAK_PAYMENTS=0: must be an integer from 1 to 1000000"])) {
            try SoakPlan.from(environment: ["SOAK_PAYMENTS": "0"])
        }
    }
}
