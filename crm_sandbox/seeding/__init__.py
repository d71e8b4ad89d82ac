"""How the demo company is made up: its people, its everyday work, and the awkward cases that every real CRM holds."""
