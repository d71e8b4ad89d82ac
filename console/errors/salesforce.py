"""The codes of the Salesforce connector: 00x network, 01x sign-in and rights, 02x allowance, 03x answers."""

from console.errors.entry import Entry
from kpi_engine.declaring import Text

SALESFORCE = (
    Entry(
        "KPI-SF-001",
        Text(
            "The Salesforce address is not encrypted",
            "La dirección de Salesforce no está cifrada",
        ),
        Text(
            "`login_url` or `instance_url` does not begin with https. A secret never travels in the clear; plain "
            "http is accepted for this machine's own addresses only.",
            "`login_url` o `instance_url` no empieza por https. Una clave nunca viaja sin cifrar; http solo se "
            "acepta para las direcciones de este mismo equipo.",
        ),
        Text(
            "Write the company's My Domain address: `https://acme.my.salesforce.com`.",
            "Escriba la dirección My Domain de la empresa: `https://acme.my.salesforce.com`.",
        ),
    ),
    Entry(
        "KPI-SF-002",
        Text(
            "Salesforce did not answer",
            "Salesforce no respondió",
        ),
        Text(
            "Salesforce answered several times in a row that it cannot serve the request now: maintenance, "
            "overload, an incident.",
            "Salesforce respondió varias veces seguidas que ahora no puede atender la petición: mantenimiento, "
            "sobrecarga, una incidencia.",
        ),
        Text(
            "See status.salesforce.com. Nothing was lost; the next run goes on from here.",
            "Consulte status.salesforce.com. No se ha perdido nada; la próxima ejecución continúa desde aquí.",
        ),
    ),
    Entry(
        "KPI-SF-003",
        Text(
            "Salesforce cannot be reached",
            "No se puede contactar con Salesforce",
        ),
        Text(
            "No answer came through the network: no connection, an unknown host name, a proxy or a firewall, a "
            "timeout.",
            "No llegó respuesta por la red: sin conexión, nombre de servidor desconocido, un proxy o cortafuegos, "
            "un tiempo de espera agotado.",
        ),
        Text(
            "Open the address of `login_url` in a browser on the same machine. The next run goes on from here.",
            "Abra la dirección de `login_url` en un navegador del mismo equipo. La próxima ejecución continúa "
            "desde aquí.",
        ),
    ),
    Entry(
        "KPI-SF-004",
        Text(
            "A Salesforce query did not finish",
            "Una consulta de Salesforce no terminó",
        ),
        Text(
            "Salesforce gave up on a query that takes too long, also after it was asked for in smaller parts.",
            "Salesforce abandonó una consulta demasiado larga, también después de pedirla en partes más pequeñas.",
        ),
        Text(
            "Nothing was lost. If it stays, ask Salesforce support for a custom index on SystemModstamp of that "
            "object.",
            "No se ha perdido nada. Si persiste, pida al soporte de Salesforce un índice sobre SystemModstamp de "
            "ese objeto.",
        ),
    ),
    Entry(
        "KPI-SF-005",
        Text(
            "The deployment has not finished",
            "El despliegue no ha terminado",
        ),
        Text(
            "Salesforce is still making our object and fields; its queue of deployments can be long.",
            "Salesforce sigue creando nuestro objeto y nuestros campos; su cola de despliegues puede ser larga.",
        ),
        Text(
            "See Setup › Deployment Status; run `kpisync provision` again when it is through.",
            "Consulte Configuración › Estado de implementación; ejecute `kpisync provision` de nuevo cuando termine.",
        ),
    ),
    Entry(
        "KPI-SF-006",
        Text(
            "Salesforce sent fewer rows than it promised",
            "Salesforce envió menos filas de las prometidas",
        ),
        Text(
            "A bulk result ended early. It was not kept, because half a history gives wrong numbers.",
            "Un resultado masivo terminó antes de tiempo. No se guardó, porque media historia da números erróneos.",
        ),
        Text(
            "Run again; it is fetched anew.",
            "Ejecute de nuevo; se vuelve a pedir.",
        ),
    ),
    Entry(
        "KPI-SF-010",
        Text(
            "Salesforce no longer accepts the session",
            "Salesforce ya no acepta la sesión",
        ),
        Text(
            "The session expired or was revoked, and signing in again did not help.",
            "La sesión caducó o fue revocada, y volver a iniciarla no sirvió.",
        ),
        Text(
            'With `auth = "access_token"` store a fresh token; else see that the user is active, and run `kpisync '
            "doctor`.",
            'Con `auth = "access_token"`, guarde un token nuevo; si no, vea que el usuario esté activo y ejecute '
            "`kpisync doctor`.",
        ),
    ),
    Entry(
        "KPI-SF-011",
        Text(
            "Salesforce does not allow it",
            "Salesforce no lo permite",
        ),
        Text(
            "The user who signs in lacks a right: access to the API, to an object or to a field.",
            "Al usuario que inicia sesión le falta un derecho: acceso a la API, a un objeto o a un campo.",
        ),
        Text(
            "Give the integration user *API Enabled* and the permission set *Sales KPI Writer*, which `kpisync "
            "provision` makes; for reading, the rights in docs/salesforce.md.",
            "Dé al usuario de integración *API habilitada* y el conjunto de permisos *Sales KPI Writer*, que crea "
            "`kpisync provision`; para leer, los permisos de docs/salesforce.es.md.",
        ),
    ),
    Entry(
        "KPI-SF-012",
        Text(
            "The API version is not spoken",
            "Esa versión de la API no se habla",
        ),
        Text(
            "The org does not know the version in `api_version`, or has retired it.",
            "La organización no conoce la versión de `api_version`, o la ha retirado.",
        ),
        Text(
            "Write a version that the message names; leave the line out for the default.",
            "Escriba una versión de las que nombra el mensaje; quite la línea para usar la predeterminada.",
        ),
    ),
    Entry(
        "KPI-SF-013",
        Text(
            "Something other than Salesforce answers",
            "Responde algo que no es Salesforce",
        ),
        Text(
            "What answers at `login_url` does not speak Salesforce's sign-in: a proxy's page, a custom domain, a "
            "mistyped address.",
            "Lo que responde en `login_url` no habla el inicio de sesión de Salesforce: la página de un proxy, un "
            "dominio propio, una dirección mal escrita.",
        ),
        Text(
            "Set `login_url` to the company's My Domain address (Setup › My Domain).",
            "Ponga en `login_url` la dirección My Domain de la empresa (Configuración › Mi dominio).",
        ),
    ),
    Entry(
        "KPI-SF-014",
        Text(
            "The app hands out tokens bound to a device",
            "La aplicación da tokens ligados a un dispositivo",
        ),
        Text(
            "The External Client App has token binding (DPoP) switched on; such tokens work for one device's key only.",
            "La External Client App tiene activada la vinculación de tokens (DPoP); esos tokens solo sirven con la "
            "clave de un dispositivo.",
        ),
        Text(
            "Switch it off for this app.",
            "Desactívela para esta aplicación.",
        ),
    ),
    Entry(
        "KPI-SF-015",
        Text(
            "The private key is not one",
            "La clave privada no es válida",
        ),
        Text(
            'With `auth = "jwt"` the stored `PRIVATE_KEY` must be an RSA private key as text.',
            'Con `auth = "jwt"`, la `PRIVATE_KEY` guardada debe ser una clave privada RSA en texto.',
        ),
        Text(
            "Store the key file's whole text, from BEGIN to END; it belongs to the certificate that the app holds.",
            "Guarde el texto completo del archivo de la clave, de BEGIN a END; es la del certificado que tiene la "
            "aplicación.",
        ),
    ),
    Entry(
        "KPI-SF-016",
        Text(
            "A Salesforce secret is not stored",
            "Falta una clave de Salesforce",
        ),
        Text(
            "The way to sign in that `auth` names needs a secret that is nowhere to be found.",
            "La forma de iniciar sesión que indica `auth` necesita una clave que no está en ninguna parte.",
        ),
        Text(
            "Run `kpisync init` (a refresh token: `kpisync connect`), or set `KPISYNC_<CONNECTION>_<NAME>` in the "
            "environment.",
            "Ejecute `kpisync init` (un token de actualización: `kpisync connect`), o defina "
            "`KPISYNC_<CONEXIÓN>_<NOMBRE>` en el entorno.",
        ),
    ),
    Entry(
        "KPI-SF-017",
        Text(
            "The access token is garbled",
            "El token de acceso está dañado",
        ),
        Text(
            "The stored token contains line breaks or other characters that no token has.",
            "El token guardado contiene saltos de línea u otros caracteres que ningún token tiene.",
        ),
        Text(
            "Store it again, on one line.",
            "Guárdelo de nuevo, en una sola línea.",
        ),
    ),
    Entry(
        "KPI-SF-018",
        Text(
            "Salesforce refused the sign-in",
            "Salesforce rechazó el inicio de sesión",
        ),
        Text(
            "The client id or secret is wrong, the flow is not switched on for the app, it has no run-as user, or "
            "the user is inactive. A new or changed app takes up to ten minutes to work.",
            "El identificador o el secreto del cliente es incorrecto, el flujo no está activado en la aplicación, "
            "esta no tiene usuario de ejecución, o el usuario está inactivo. Una aplicación nueva o modificada "
            "tarda hasta diez minutos en funcionar.",
        ),
        Text(
            "Do what the message says for Salesforce's own code; docs/salesforce.md goes through the app step by step.",
            "Haga lo que el mensaje dice para el código de Salesforce; docs/salesforce.es.md recorre la aplicación "
            "paso a paso.",
        ),
    ),
    Entry(
        "KPI-SF-020",
        Text(
            "The day's API calls are used up",
            "Se agotaron las llamadas a la API del día",
        ),
        Text(
            "All integrations of the org together have used its calls of the last 24 hours.",
            "Todas las integraciones de la organización han gastado juntas sus llamadas de las últimas 24 horas.",
        ),
        Text(
            "The next scheduled run goes on from here. Pull less often (`[schedule] pull`), or buy more calls.",
            "La próxima ejecución programada continúa desde aquí. Lea con menos frecuencia (`[schedule] pull`) o "
            "amplíe el cupo.",
        ),
    ),
    Entry(
        "KPI-SF-021",
        Text(
            "This run has used its share of the calls",
            "Esta ejecución gastó su parte de las llamadas",
        ),
        Text(
            "kpisync leaves the rest of the day's calls to other integrations: `[guards] api_budget_share`.",
            "kpisync deja el resto de las llamadas del día a otras integraciones: `[guards] api_budget_share`.",
        ),
        Text(
            "Nothing to do: the next run goes on from here. A first pull of a long history may want a larger share.",
            "No hay que hacer nada: la próxima ejecución continúa desde aquí. Para una primera lectura de un "
            "historial largo puede convenir una parte mayor.",
        ),
    ),
    Entry(
        "KPI-SF-022",
        Text(
            "Most of the day's API calls are used",
            "Casi todas las llamadas a la API del día están gastadas",
        ),
        Text(
            "All integrations of the org together have used the share that `[guards] api_day_share` names of its "
            "calls of the last 24 hours, or this app has used all that an admin allows it. kpisync leaves the rest "
            "to others.",
            "Todas las integraciones de la organización han gastado juntas la parte que fija "
            "`[guards] api_day_share` de sus llamadas de las últimas 24 horas, o esta aplicación ha gastado "
            "las que un administrador le permite. "
            "kpisync deja el resto a las demás.",
        ),
        Text(
            "Nothing is lost, the next run goes on from here. If it happens every day, see Setup › System Overview "
            "for who calls so much, raise `[guards] api_day_share`, or buy more calls.",
            "No se pierde nada: la próxima ejecución continúa desde aquí. Si ocurre a diario, vea en Configuración › "
            "Descripción general del sistema quién llama tanto, suba `[guards] api_day_share` o amplíe el cupo.",
        ),
    ),
    Entry(
        "KPI-SF-030",
        Text(
            "Salesforce refused a request",
            "Salesforce rechazó una petición",
        ),
        Text(
            "Salesforce answered with a code for which kpisync has no better words.",
            "Salesforce respondió con un código para el que kpisync no tiene mejores palabras.",
        ),
        Text(
            "Run `kpisync doctor`; if all is well there, report the code with the command that was run.",
            "Ejecute `kpisync doctor`; si allí todo está bien, comunique el código y la orden ejecutada.",
        ),
    ),
    Entry(
        "KPI-SF-031",
        Text(
            "An answer does not have its shape",
            "Una respuesta no tiene la forma debida",
        ),
        Text(
            "Salesforce, or something between, answered what its own documentation does not describe.",
            "Salesforce, o algo intermedio, respondió lo que su propia documentación no describe.",
        ),
        Text(
            "Check `api_version` and a proxy on the way; else report it.",
            "Compruebe `api_version` y si hay un proxy por medio; si no, comuníquelo.",
        ),
    ),
    Entry(
        "KPI-SF-032",
        Text(
            "The place to go on from is lost",
            "Se perdió el punto desde el que continuar",
        ),
        Text(
            "The cache holds a cursor of a Salesforce stream that this version cannot read.",
            "La caché guarda un cursor de Salesforce que esta versión no sabe leer.",
        ),
        Text(
            "Run `kpisync pull --full` to read everything again.",
            "Ejecute `kpisync pull --full` para leerlo todo de nuevo.",
        ),
    ),
    Entry(
        "KPI-SF-033",
        Text(
            "A Salesforce stream cannot be read",
            "Un flujo de Salesforce no se puede leer",
        ),
        Text(
            "The object is not in this org, or this user may not see it or a field that it cannot do without.",
            "El objeto no está en esta organización, o este usuario no puede verlo o no ve un campo indispensable.",
        ),
        Text(
            "Run `kpisync doctor`: it names what this user may not see, and which KPIs that costs.",
            "Ejecute `kpisync doctor`: nombra lo que este usuario no ve y qué KPI cuesta.",
        ),
    ),
    Entry(
        "KPI-SF-034",
        Text(
            "Salesforce refuses a query",
            "Salesforce rechaza una consulta",
        ),
        Text(
            "A query was refused, also after it was asked for in another way; a field may have been hidden or "
            "removed in the middle of a run.",
            "Se rechazó una consulta, también planteada de otra manera; quizá se ocultó o eliminó un campo a mitad "
            "de una ejecución.",
        ),
        Text(
            "Run again. If it stays, run `kpisync doctor` and report the code.",
            "Ejecute de nuevo. Si persiste, ejecute `kpisync doctor` y comunique el código.",
        ),
    ),
)
