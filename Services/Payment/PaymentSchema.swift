import Shared

extension PaymentStore {
    /// The invariants are the schema's: no bug in the code above it can refund more than was paid, pay twice for one
    /// key, capture a payment twice, or tell a customer twice.
    static let migrations = [
        Migration(
            "v1 payments and refunds",
            """
            CREATE TABLE payment (
                id TEXT PRIMARY KEY NOT NULL,
                status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'declined', 'failed',
                    'refunded', 'partially_refunded')),
                amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
                currency TEXT NOT NULL,
                refunded_minor BIGINT NOT NULL DEFAULT 0,
                product_id TEXT NOT NULL,
                quantity BIGINT NOT NULL CHECK (quantity > 0),
                card_last_four TEXT NOT NULL CHECK (length(card_last_four) = 4),
                card_brand TEXT NOT NULL,
                recipient TEXT,
                decline_code TEXT,
                scenario TEXT,
                idempotency_key TEXT UNIQUE,
                idempotency_text TEXT,
                answer_status BIGINT,
                answer_body TEXT,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                CHECK (refunded_minor BETWEEN 0 AND amount_minor),
                CHECK (refunded_minor = 0 OR status IN ('refunded', 'partially_refunded')),
                CHECK (status <> 'refunded' OR refunded_minor = amount_minor),
                CHECK ((status = 'declined') = (decline_code IS NOT NULL)),
                CHECK ((answer_status IS NULL) = (answer_body IS NULL))
            );
            CREATE TABLE refund (
                id TEXT PRIMARY KEY NOT NULL,
                payment_id TEXT NOT NULL REFERENCES payment (id),
                amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
                idempotency_key TEXT UNIQUE,
                idempotency_text TEXT,
                created_at BIGINT NOT NULL
            );
            CREATE INDEX refund_payment ON refund (payment_id);
            """),
        Migration("v2 leases, ledger, outbox and events", leasesLedgerOutboxEvents),
    ]

    /// Work belongs to its owner until `lease_until`, and to whoever claims it then; the same column says when a step
    /// that failed is due again. A ledger transaction has one entry an account.
    private static let leasesLedgerOutboxEvents = """
        ALTER TABLE payment ADD COLUMN reservation_id TEXT;
        ALTER TABLE payment ADD COLUMN inventory_check TEXT;
        ALTER TABLE payment ADD COLUMN owner TEXT;
        ALTER TABLE payment ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE payment ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
        CREATE INDEX payment_unsettled ON payment (lease_until) WHERE status IN ('pending', 'processing');
        ALTER TABLE refund ADD COLUMN state TEXT NOT NULL DEFAULT 'done'
            CHECK (state IN ('pending', 'done', 'refused'));
        ALTER TABLE refund ADD COLUMN owner TEXT;
        ALTER TABLE refund ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE refund ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
        CREATE INDEX refund_pending ON refund (lease_until) WHERE state = 'pending';
        CREATE TABLE ledger_entry (
            transaction_id TEXT NOT NULL,
            payment_id TEXT NOT NULL REFERENCES payment (id),
            kind TEXT NOT NULL CHECK (kind IN ('capture', 'refund')),
            account TEXT NOT NULL CHECK (account IN ('gateway_receivable', 'sales')),
            amount_minor BIGINT NOT NULL,
            currency TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            PRIMARY KEY (transaction_id, account),
            CHECK (CASE WHEN (kind = 'capture') = (account = 'gateway_receivable')
                THEN amount_minor > 0 ELSE amount_minor < 0 END)
        );
        CREATE INDEX ledger_entry_payment ON ledger_entry (payment_id);
        CREATE UNIQUE INDEX ledger_entry_capture ON ledger_entry (payment_id, account) WHERE kind = 'capture';
        CREATE TABLE outbox (
            kind TEXT NOT NULL CHECK (kind IN ('notification', 'confirm', 'release')),
            message_key TEXT NOT NULL,
            payment_id TEXT NOT NULL REFERENCES payment (id),
            message TEXT,
            recipient TEXT,
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done')),
            owner TEXT,
            lease_until BIGINT NOT NULL,
            attempts BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, message_key),
            CHECK ((kind = 'notification') = (message IS NOT NULL))
        );
        CREATE INDEX outbox_payment ON outbox (payment_id);
        CREATE INDEX outbox_waiting ON outbox (lease_until) WHERE state = 'waiting';
        CREATE TABLE payment_event (
            payment_id TEXT NOT NULL REFERENCES payment (id),
            number BIGINT NOT NULL,
            name TEXT NOT NULL,
            detail TEXT NOT NULL,
            scenario TEXT,
            latency_us BIGINT,
            replica TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            PRIMARY KEY (payment_id, number)
        );
        """
}
