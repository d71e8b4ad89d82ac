"""The codes of the distributed engine."""

from console.errors.entry import Entry
from kpi_engine.declaring import Text

ENGINE = (
    Entry(
        "KPI-ENGINE-001",
        Text(
            "PySpark is not installed",
            "PySpark no está instalado",
        ),
        Text(
            '`[engine] kind = "spark"` says that everything is computed on Spark, and this installation has not the '
            "extra of kpisync that does it. Nothing was computed.",
            '`[engine] kind = "spark"` dice que todo se calcula en Spark, y esta instalación no tiene el extra de '
            "kpisync que lo hace. No se ha calculado nada.",
        ),
        Text(
            "Install `kpisync[spark]` in place of `kpisync`, or take the line out: then this machine computes.",
            "Instale `kpisync[spark]` en lugar de `kpisync`, o quite la línea: entonces calcula este equipo.",
        ),
    ),
    Entry(
        "KPI-ENGINE-002",
        Text(
            "Spark needs Java",
            "Spark necesita Java",
        ),
        Text(
            "PySpark is there, but no Java: neither `java` on the PATH nor a folder in `JAVA_HOME`. Nothing was "
            "computed.",
            "PySpark está, pero no hay ningún Java: ni `java` en el PATH ni una carpeta en `JAVA_HOME`. No se ha "
            "calculado nada.",
        ),
        Text(
            "Install a Java 17 or 21 runtime (Debian: `apt-get install openjdk-17-jre-headless`) or set `JAVA_HOME`.",
            "Instale un Java 17 o 21 (Debian: `apt-get install openjdk-17-jre-headless`) o defina `JAVA_HOME`.",
        ),
    ),
    Entry(
        "KPI-ENGINE-003",
        Text(
            "Spark did not start, or gave the work up",
            "Spark no arrancó o abandonó el trabajo",
        ),
        Text(
            "The master that `[engine] master` names cannot be reached, or an executor has no kpisync of our version, "
            "does not reach `[engine] folder`, or ran out of memory. The values of the last computation are still "
            "there.",
            "No se puede llegar al maestro que nombra `[engine] master`, o un ejecutor no tiene kpisync de nuestra "
            "versión, no alcanza `[engine] folder` o se quedó sin memoria. Los valores del último cálculo siguen ahí.",
        ),
        Text(
            "The message ends with what Spark said. Check `[engine]` against docs/spark.md and look at Spark's own "
            'logs; with `kind = "polars"` this machine computes.',
            "El mensaje termina con lo que dijo Spark. Compare `[engine]` con docs/spark.es.md y mire los registros de "
            'Spark; con `kind = "polars"` calcula este equipo.',
        ),
    ),
)
