"""A visitor reads the list of products and looks at some of them"""

import os
import random

from locust import FastHttpUser, between, task


class InventoryBrowser(FastHttpUser):
    host = os.environ.get("INVENTORY_URL", "http://localhost:5003")
    wait_time = between(0.2, 1)
    network_timeout = 10
    connection_timeout = 5

    def on_start(self):
        self.products = []

    @task(1)
    def read_the_list(self):
        with self.client.get("/list", catch_response=True) as response:
            if response.status_code == 200:
                self.products = [product["id"] for product in response.json()["products"]]
                if not self.products:
                    response.failure("the list is empty")

    @task(4)
    def look(self):
        if not self.products:
            return self.read_the_list()
        self.client.get(f"/check/{random.choice(self.products)}", name="/check/[id]")
